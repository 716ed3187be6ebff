"""Formats: how a record's bytes become a row, and back."""

from eddyline.record.formats.format import BadField, Decoded, Decoder, Encoder, decoder, encoder

__all__ = ["BadField", "Decoded", "Decoder", "Encoder", "decoder", "encoder"]
