"""Kinesis Data Streams: all operations of the service's model, over the durable log.

To add an operation write a handler into the module of its noun and one row into that module's
``OPERATIONS`` (name in the model -> handler); a new module is one line in ``service.MODULES``. A
handler is ``handler(home: Home, call: Call) -> Answer``:

- ``call.request`` is the parsed request; its members have the model's names and have passed the
  model's constraints; what was not given is None.
- ``home`` has the store, the settings, the clock, names of things (``home.stream(call.request)``
  finds the stream that StreamName or StreamARN mean) and secrets of tokens.
- A plain function may take its time: it runs in a thread. An ``async def`` runs on the loop that
  serves everybody and must never block; it is for what is quick or waits for futures.
- The answer is a dict of members (``Instant`` for timestamps, ``bytes`` for blobs), bytes that
  are encoded already in ``call.form``, or an ``EventStream`` over an async iterator of
  (event's name, members): framing, the first ``initial-response`` frame, exceptions and a caller
  who hangs up are the protocol's affair (``aws/protocol.py``, ``aws/eventstream.py``).
- Refusals are ``AwsError(name, sentence)``; an ``EddylineError`` of lower floors is translated.

Whether the caller may do it has been decided before the handler is called (``access.py``).
"""
