"""Object headers, versions 1 and 2: a list of messages, in one block or in several."""

from __future__ import annotations

from probatum.scan.hdf5.store import Bad, Cursor, Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple

    class Message(NamedTuple):
        type: int
        flags: int
        data: bytes
        address: int
else:
    from collections import namedtuple

    Message = namedtuple("Message", "type flags data address")

#: Types of messages, in the order of their numbers.
(
    NIL, SPACE, LINK_INFO, TYPE, OLD_FILL, FILL, LINK, EXTERNAL, LAYOUT, BOGUS, GROUP_INFO, FILTERS, ATTRIBUTE, COMMENT,
    OLD_TIME, SHARED_TABLE, MORE, SYMBOLS, TIME, TREE_K, DRIVER, ATTRIBUTE_INFO, COUNT, SPACE_INFO, IMAGE,
) = range(25)  # fmt: skip
#: Message flag: the body stands elsewhere. Flags of unknown messages: fail when writing, and fail always.
SHARED, FAILS = 2, 0x88


def messages(store: Store, address: int) -> list[Message]:
    """All messages of the object whose header stands here, NIL left out. Raises `Bad`."""
    if store.peek(address, 4, "an object header") == b"OHDR":
        return _second(store, address)
    head = Cursor(store.peek(address, 16, "an object header"), "an object header")
    version, _, count = head.number(1), head.number(1), head.number(2)
    head.take(4)
    size = head.number(4)
    if version != 1:
        raise Bad(f"an object header at {address:,} of version {version}")
    store.claim(address, 16, "an object header")
    found: list[Message] = []
    todo, read = [(address + 16, size)], 0
    while todo:
        start, size = todo.pop(0)
        store.cover(size)
        data = store.peek(start, size, "a block of messages")
        pos = 0
        while pos + 8 <= size:
            read += 1
            length = int.from_bytes(data[pos + 2 : pos + 4], "little")
            if pos + 8 + length > size:
                raise Bad(f"a message at {start + pos:,} goes on behind its block")
            kind = int.from_bytes(data[pos : pos + 2], "little")
            _note(store, start + pos, 8, kind, data[pos + 4], data[pos + 8 : pos + 8 + length], found, todo)
            pos += 8 + length
    if read != count:
        raise Bad(f"an object header at {address:,} with {read} messages where {count} are declared")
    return found


def _second(store: Store, address: int) -> list[Message]:
    head = Cursor(store.peek(address, min(34, store.end - address), "an object header"), "an object header", 4)
    if head.number(1) != 2:
        raise Bad(f"an object header at {address:,} of an unknown version")
    flags = head.number(1)
    head.take(16 * bool(flags & 0x20) + 4 * bool(flags & 0x10))
    size = head.number(1 << (flags & 3))
    store.claim(address, head.pos, "an object header")
    found: list[Message] = []
    todo, fixed = [(address + head.pos, size)], 4 + 2 * bool(flags & 4)
    first = True
    while todo:
        start, size = todo.pop(0)
        if not first:
            if size < 8 or store.peek(start, 4, "a block of messages") != b"OCHK":
                raise Bad(f"a block of messages at {start:,} has no mark OCHK")
            store.claim(start, 4, "a block of messages")
            start, size = start + 4, size - 8
        first = False
        store.cover(size)
        data = store.peek(start, size, "a block of messages")
        pos = 0
        while pos + fixed <= size:
            length = int.from_bytes(data[pos + 1 : pos + 3], "little")
            if pos + fixed + length > size:
                raise Bad(f"a message at {start + pos:,} goes on behind its block")
            body = data[pos + fixed : pos + fixed + length]
            _note(store, start + pos, fixed, data[pos], data[pos + 3], body, found, todo)
            pos += fixed + length
        store.claim(start + size, 4, "a checksum")
    return found


def _note(
    store: Store, at: int, fixed: int, kind: int, flags: int, body: bytes, found: list[Message], todo: list
) -> None:
    """Keep a message, or follow it to the next block. What a deleted one leaves behind belongs to nothing."""
    store.claim(at, fixed + (len(body) if kind != NIL else 0), "a message")
    if kind == MORE:
        cursor = Cursor(body, "a continuation")
        todo.append((cursor.number(store.wide), cursor.number(store.long)))
    elif kind != NIL:
        found.append(Message(kind, flags, body, at + fixed))


def shared_at(store: Store, cursor: Cursor) -> int:
    """The address of the object header that holds the body of a shared message. Raises `Bad`."""
    version, kind = cursor.number(1), cursor.number(1)
    if version == 1:
        cursor.take(6)
    if version not in (1, 2, 3) or (version == 3 and kind != 2):
        raise Bad("a message that is kept in a heap of the whole file")
    return cursor.number(store.wide)
