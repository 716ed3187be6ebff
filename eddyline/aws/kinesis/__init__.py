"""Kinesis Data Streams: all operations of the service's model, over the durable log.

To add an operation write a handler into the module of its noun and one row into that module's
``OPERATIONS`` (name in the model -> handler); a new module is one line of the service's row in
``aws/services.py``. A handler is ``handler(context: KinesisContext, call: Call) -> Answer``:

- ``call.request`` is the parsed request. Its members have the model's names and have passed the
  model's constraints; members that were not sent are None.
- ``context`` has the store, the settings, the clock and the names of resources;
  ``context.stream(call.request)`` finds the stream that StreamName or StreamARN mean.
- A plain function may take its time: it runs in a thread. An ``async def`` runs on the event loop,
  which serves all callers, and must never block; it is for quick work and for waiting on futures.
- The answer is a dict of members (``Instant`` for timestamps, ``bytes`` for blobs), bytes that are
  encoded already in ``call.form``, or an ``EventStream`` over an async iterator of (event's name,
  members). Framing, the first ``initial-response`` frame, exceptions and a caller who disconnects
  are handled by the protocol (``aws/protocol.py``, ``aws/eventstream.py``).
- Refusals are ``AwsError(name, sentence)``; an ``EddylineError`` of lower layers is translated.

Whether the caller may perform the operation has been decided before the handler is called
(``aws/access.py``, with ``access.py`` here naming the resource).
"""
