# For GDB: source scripts/gdb-trapeze.py
# Shows native firmware as a frame, "SBI sbi_sse_inject, step 2", with the caller below it. Firmware has frames while its operations run in
# steps: monitor firmware-steps 1.
import gdb
from gdb.FrameDecorator import FrameDecorator
from gdb.unwinder import Unwinder, register_unwinder


def firmware():
    """What native firmware does on the present hart: the text that monitor sbi has for it; None outside of firmware."""
    thread = gdb.selected_thread()
    if thread is None:
        return None
    lines = gdb.execute("monitor sbi", to_string=True).splitlines()
    index = thread.ptid[1] - 1
    if index >= len(lines) or ", SBI " not in lines[index]:
        return None
    return "SBI " + lines[index].split(", SBI ", 1)[1]


class Id:
    def __init__(self, sp, pc):
        self.sp = sp
        self.pc = pc


# By GDB's names. A caller may keep its return address in any of them.
REGISTERS = ["ra", "sp", "gp", "tp", "fp"]
REGISTERS += ["%s%d" % (kind, n) for kind, first, last in (("t", 0, 6), ("s", 1, 11), ("a", 0, 7)) for n in range(first, last + 1)]


class FirmwareUnwinder(Unwinder):
    """The caller of the firmware is where mepc says; nothing else has changed hands."""

    def __init__(self):
        super().__init__("trapeze firmware")

    def __call__(self, pending):
        try:
            pc = pending.read_register("pc")
            inside = int(pending.read_register("priv")) == 3 and int(pc) == int(pending.read_register("mtvec")) & ~3
        except gdb.error:
            # An outer frame, whose CSRs nobody has saved.
            return None
        if not inside or firmware() is None:
            return None
        sp = pending.read_register("sp")
        info = pending.create_unwind_info(Id(sp, pc))
        info.add_saved_register("pc", pending.read_register("mepc"))
        for name in REGISTERS:
            info.add_saved_register(name, pending.read_register(name))
        return info


class FirmwareFrame(FrameDecorator):
    def __init__(self, base, text):
        super().__init__(base)
        self.text = text

    def function(self):
        return self.text


class FirmwareFilter:
    """Names the innermost frame."""

    def __init__(self):
        self.name = "trapeze firmware"
        self.priority = 100
        self.enabled = True
        gdb.frame_filters[self.name] = self

    def filter(self, frames):
        text = firmware()
        if not text:
            yield from frames
            return
        # GDB's own iterator looks one frame ahead, and would lose the last one of code that has no frame information.
        first = next(iter(frames))
        yield FirmwareFrame(first, text)
        frame = first.inferior_frame()
        while True:
            try:
                frame = frame.older()
            except gdb.error:
                return
            if frame is None:
                return
            yield FrameDecorator(frame)


FirmwareFilter()
register_unwinder(None, FirmwareUnwinder(), replace=True)
