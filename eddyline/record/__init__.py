"""What moves: SQL types, schemas and Arrow batches with a change kind."""

from eddyline.record.batch import Batch, ChangeKind, End, Watermark
from eddyline.record.schema import Column, Schema
from eddyline.record.types import DataType

__all__ = ["Batch", "ChangeKind", "Column", "DataType", "End", "Schema", "Watermark"]
