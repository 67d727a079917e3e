"""A window with the frames: the operating system's own, by way of tkinter."""

from types import ModuleType

import numpy as np

from headmime.errors import HeadmimeError

TITLE = "headmime live: space takes your face as the start, q ends"


class Window:
    """Shows frames; `closed` when the user has had enough, `again` when they pressed space."""

    def __init__(self) -> None:
        tkinter = _tkinter()
        try:
            self._root = tkinter.Tk()
        except tkinter.TclError as error:
            raise HeadmimeError(
                f"No window can be opened here ({error}): write a file instead, out=FILE.mp4."
            ) from error
        self.closed = False
        self.again = False
        self._root.title(TITLE)
        self._root.configure(background="black")
        self._picture = tkinter.PhotoImage(master=self._root)
        tkinter.Label(self._root, image=self._picture, borderwidth=0).pack()
        self._root.protocol("WM_DELETE_WINDOW", self._close)
        for key in ("q", "<Escape>"):
            self._root.bind(key, lambda _: self._close())
        self._root.bind("<space>", lambda _: self._start_again())

    def show(self, frame: np.ndarray) -> None:
        """A frame, uint8 RGB [H, W, 3]; afterwards it is on the screen."""
        height, width = frame.shape[:2]
        self._picture.configure(data=b"P6 %d %d 255\n" % (width, height) + frame.tobytes())
        self._root.update()

    def took_again(self) -> bool:
        """Whether space was pressed since the last time this was asked."""
        pressed, self.again = self.again, False
        return pressed

    def close(self) -> None:
        """The window goes."""
        self._root.destroy()

    def _close(self) -> None:
        self.closed = True

    def _start_again(self) -> None:
        self.again = True


def _tkinter() -> ModuleType:
    try:
        import tkinter
    except ImportError as error:
        raise HeadmimeError(
            "This Python has no tkinter to open a window with (apt-get install python3-tk): "
            "install it, or write a file, out=FILE.mp4."
        ) from error
    return tkinter
