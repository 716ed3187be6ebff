"""What moves: SQL types, schemas and Arrow batches with a change kind."""

from eddyline.record.batch import Batch, End, Kind, Watermark
from eddyline.record.schema import Column, Schema
from eddyline.record.types import DataType

__all__ = ["Batch", "Column", "DataType", "End", "Kind", "Schema", "Watermark"]
