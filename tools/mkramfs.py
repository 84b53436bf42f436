#!/usr/bin/python3
"""mkramfs.py [--gzip] -o IMAGE [DIR | PATH=FILE | PATH=DIR]...: pack files for the image or for an initrd.

A DIR gives all that is below it, PATH=FILE one file under another name, PATH=DIR all below DIR under PATH; later ones replace earlier
ones. The format is that of kernel/fs/ramfs_image.h. The result depends on names, contents and the
executable bit only: no times, no order of the host's directory.

  secret/...   files below a directory of this name are never served over the network,
  token        nor is this one, at the top: the access token
  --gzip       text files get a neighbour x.gz where that saves bytes, for Content-Encoding
"""
import argparse
import gzip
import hashlib
import os
import struct
import sys

MAGIC, VERSION = b"MAZURAM1", 1
DIR, FILE = 1, 2
SECRET, EXEC = 1, 2
HEADER = struct.Struct("<8sIIQQQQQII")
NODE = struct.Struct("<IIIIHBBIQQQQQ")
COMPRESSIBLE = (".html", ".css", ".js", ".mjs", ".json", ".svg", ".txt", ".map", ".ico", ".wasm")


def crc32c_table():
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
        table.append(crc)
    return table


TABLE = crc32c_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


class Node:
    def __init__(self, kind, content=b"", flags=0):
        self.kind, self.content, self.flags = kind, content, flags
        self.children = {}  # name in bytes -> Node


def insert(root, path, content, flags):
    *folders, name = [part for part in path.encode().split(b"/") if part]
    node = root
    for part in folders + [name]:
        if part in (b".", b"..") or not 1 <= len(part) <= 255 or b"\0" in part:
            sys.exit(f"mkramfs: {path}: not a name that the image can hold")
    for part in folders:
        node = node.children.setdefault(part, Node(DIR))
        if node.kind != DIR:
            sys.exit(f"mkramfs: {path}: a file and a directory have the same name")
    if b"secret" in folders or (not folders and name == b"token"):
        flags |= SECRET
    node.children[name] = Node(FILE, content, flags)


def add_file(root, path, source, compress):
    with open(source, "rb") as f:
        content = f.read()
    insert(root, path, content, EXEC if os.stat(source).st_mode & 0o100 else 0)
    if compress and path.endswith(COMPRESSIBLE):
        packed = gzip.compress(content, 9, mtime=0)
        if len(packed) < len(content):
            insert(root, path + ".gz", packed, 0)


def add_tree(root, top, compress, under=""):
    for folder, folders, files in os.walk(top):
        folders.sort()
        for name in sorted(files):
            source = os.path.join(folder, name)
            add_file(root, os.path.join(under, os.path.relpath(source, top)), source, compress)
        if not folders and not files and folder != top:
            parts = os.path.join(under, os.path.relpath(folder, top)).encode().split(b"/")
            node = root
            for part in parts:
                node = node.children.setdefault(part, Node(DIR))


def pack(root):
    """The image's bytes. Nodes in breadth-first order, children sorted by name."""
    nodes = [(b"", root, 0)]  # name, node, parent
    for index, (_, node, _) in enumerate(nodes):  # grows while it is walked
        node.first = len(nodes)
        nodes += [(name, node.children[name], index) for name in sorted(node.children)]

    names, data, places = bytearray(), bytearray(), {}
    records = []
    for name, node, parent in nodes:
        offset = length = digest = 0
        if node.kind == FILE:
            length = len(node.content)
            sha = hashlib.sha256(node.content).digest()
            digest = int.from_bytes(sha[:8], "little")
            if sha not in places:
                data += bytes(-len(data) % 16)
                places[sha] = len(data)
                data += node.content
            offset = places[sha]
        records.append((parent, node.first if node.kind == DIR else 0, len(node.children),
                        len(names), len(name), node.kind, node.flags, offset, length, digest))
        names += name

    names_off = HEADER.size + NODE.size * len(nodes)
    data_off = names_off + len(names)
    data_off += -data_off % 16
    total = data_off + len(data)

    body = bytearray()
    for (parent, first, count, name_off, name_len, kind, flags, offset, length, digest) in records:
        start = data_off + offset if kind == FILE else 0
        body += NODE.pack(parent, first, count, name_off, name_len, kind, flags, 0,
                          start, length, 0, digest, 0)
    body += names
    body += bytes(data_off - HEADER.size - len(body))

    data_crc = crc32c(data)
    fields = [MAGIC, VERSION, len(nodes), total, HEADER.size, names_off, len(names), data_off, 0]
    meta_crc = crc32c(HEADER.pack(*fields[:-1], 0, data_crc) + body)
    return HEADER.pack(*fields[:-1], meta_crc, data_crc) + bytes(body) + bytes(data)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--gzip", action="store_true")
    parser.add_argument("-o", required=True, dest="out")
    parser.add_argument("sources", nargs="*")
    args = parser.parse_args()
    root = Node(DIR)
    for source in args.sources:
        if "=" in source:
            path, file = source.split("=", 1)
            if os.path.isdir(file):
                add_tree(root, file, args.gzip, path)
            else:
                add_file(root, path, file, args.gzip)
        else:
            add_tree(root, source, args.gzip)
    with open(args.out, "wb") as f:
        f.write(pack(root))


if __name__ == "__main__":
    main()
