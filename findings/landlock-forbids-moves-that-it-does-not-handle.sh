#!/bin/sh
# Expected: a Landlock ruleset restricts what it says it handles; one that handles nothing but the execution of files leaves the rest as it was.
# Seen (Linux 6.18, ABI 7): with such a ruleset in force rename() and link() from one directory into another fail with EXDEV, as if between two file
#   systems; within a directory they work. LANDLOCK_ACCESS_FS_REFER is the one right that is denied where it is not handled.
# Matters to programs that write a file beside its place and move it there: many take EXDEV for another file system and copy instead, which
#   is not atomic any more; the rest fail. The right has to be handled and allowed, which kernels before 5.19 can't.
. "${0%/*}/lib.sh"
need python3
echo "software: Linux $(uname -r | cut -d. -f1,2)"
mkdir "$tmp/a" "$tmp/b"
: >"$tmp/a/one"
cat >"$tmp/run.py" <<'P'
import ctypes, errno, os, struct, sys
CREATE, RESTRICT, VERSION, EXECUTE, REFER = 444, 446, 1, 1, 1 << 13
libc = ctypes.CDLL(None, use_errno=True)
abi = libc.syscall(CREATE, None, 0, VERSION)
if abi < 2:
    sys.exit(77)
print("ABI", abi)
os.chdir(sys.argv[1])

def answer(call, *names):
    try:
        call(*names)
        return "works"
    except OSError as e:
        return errno.errorcode[e.errno]

print("before: rename across", answer(os.rename, "a/one", "b/one"), "and back", answer(os.rename, "b/one", "a/one"))
handled = struct.pack("Q", EXECUTE)
ruleset = libc.syscall(CREATE, handled, len(handled), 0)
libc.prctl(38, 1, 0, 0, 0)
if ruleset < 0 or libc.syscall(RESTRICT, ruleset, 0):
    sys.exit(77)
print("after: write", answer(lambda n: open(n, "w").close(), "a/one"))
print("after: rename within", answer(os.rename, "a/one", "a/two"))
print("after: rename across", answer(os.rename, "a/two", "b/two"))
print("after: link across", answer(os.link, "a/two", "b/two"))
P
python3 "$tmp/run.py" "$tmp" >"$tmp/seen" || skip "this kernel has no Landlock of ABI 2 or later"
holds "without Landlock a file moves between the directories" grep -x 'before: rename across works and back works' "$tmp/seen"
holds "below a ruleset for execution alone, writing works" grep -x 'after: write works' "$tmp/seen"
holds "so does a rename within a directory" grep -x 'after: rename within works' "$tmp/seen"
holds "a rename into another is EXDEV" grep -x 'after: rename across EXDEV' "$tmp/seen"
holds "a link into another is EXDEV" grep -x 'after: link across EXDEV' "$tmp/seen"
