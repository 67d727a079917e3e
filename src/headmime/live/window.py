"""Display frames in a native window (tkinter)."""

import numpy as np

from headmime.errors import HeadmimeError

TITLE = "headmime live: space resets the reference face, q quits"


class Window:
    """Displays frames; `closed`: the user quit; `reset_requested`: the user pressed space."""

    def __init__(self) -> None:
        try:
            import tkinter
        except ImportError as error:
            raise HeadmimeError(
                "This Python has no tkinter to open a window with (apt-get install python3-tk): "
                "install it, or write a file, out=FILE.mp4."
            ) from error
        try:
            self._root = tkinter.Tk()
        except tkinter.TclError as error:
            raise HeadmimeError(
                f"No window can be opened here ({error}): write a file instead, out=FILE.mp4."
            ) from error
        self.closed = False
        self.reset_requested = False
        self._root.title(TITLE)
        self._root.configure(background="black")
        self._image = tkinter.PhotoImage(master=self._root)
        tkinter.Label(self._root, image=self._image, borderwidth=0).pack()
        self._root.protocol("WM_DELETE_WINDOW", self._on_close)
        for key in ("q", "<Escape>"):
            self._root.bind(key, self._on_close)
        self._root.bind("<space>", self._on_space)

    def show(self, frame: np.ndarray) -> None:
        """Display a frame, uint8 RGB [H, W, 3]."""
        height, width = frame.shape[:2]
        self._image.configure(data=b"P6 %d %d 255\n" % (width, height) + frame.tobytes())
        self._root.update()

    def take_reset(self) -> bool:
        """Return whether space was pressed since the last call."""
        pressed, self.reset_requested = self.reset_requested, False
        return pressed

    def close(self) -> None:
        """Close the window."""
        self._root.destroy()

    def _on_close(self, *_: object) -> None:
        self.closed = True

    def _on_space(self, *_: object) -> None:
        self.reset_requested = True
