"""Reads and presses what a program shows, through AT-SPI, as a screen reader does.

widgets.py shows TEXT...        waits until all of these texts are shown, each by a widget of its own
widgets.py hides TEXT           waits until no widget shows this text
widgets.py presses ROLE TEXT    presses the widget of a role that is beside a text, or has it, and says where that is
widgets.py closes TITLE         closes a window
widgets.py lists                prints what is shown and has a text
"""
import os
import sys
import time

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, GLib  # noqa: E402


class Widget:
    """A widget that is shown, with what it contains."""

    def __init__(self, node, parent=None):
        self.node, self.parent = node, parent
        self.role = node.get_role_name()
        self.texts = [t for t in (node.get_name(), node.get_description()) if t]
        self.place = None
        if node.get_component_iface():
            place = node.get_extents(Atspi.CoordType.WINDOW)
            self.place = (place.x, place.y, place.width, place.height)
        self.children = []
        if self.place is None or self.place[2] > 0 and self.place[3] > 0:
            for i in range(node.get_child_count()):
                child = node.get_child_at_index(i)
                if child is not None:
                    self.children.append(Widget(child, self))

    def all(self):
        yield self
        for child in self.children:
            yield from child.all()

    def shown(self):
        return self.place is not None and self.place[2] > 0 and self.place[3] > 0

    def act(self, *names):
        """Does the first of these actions that it has."""
        if self.node.get_action_iface():
            for i in range(self.node.get_n_actions()):
                if Atspi.Action.get_action_name(self.node, i) in names:
                    return Atspi.Action.do_action(self.node, i)
        return False

    def press(self):
        """Presses it, and returns its window and its middle, where it has to be clicked if it has no action."""
        if self.act("click", "toggle", "activate"):
            return "pressed"
        window = self
        while window.parent is not None:
            window = window.parent
        x, y, width, height = self.place
        return "%d %d %s" % (x + width // 2, y + height // 2, window.texts[0] if window.role == "dialog" else "")


def widgets():
    desktop = Atspi.get_desktop(0)
    for i in range(desktop.get_child_count()):
        program = desktop.get_child_at_index(i)
        for j in range(program.get_child_count()):
            yield from Widget(program.get_child_at_index(j)).all()


def has(widget, text):
    return widget.shown() and any(text in t for t in widget.texts)


def shows(*texts):
    seen = list(widgets())
    return all(any(has(w, t) for w in seen) for t in texts)


def hides(text):
    seen = list(widgets())
    return bool(seen) and not any(has(w, text) for w in seen)


def presses(role, text):
    for named in widgets():
        around = named if named.shown() and text in named.texts else None
        while around is not None:
            for w in around.all():
                if w.role == role and w.shown():
                    return w.press()
            around = around.parent
    return ""


def closes(title):
    for window in widgets():
        if window.parent is None and has(window, title) and window.act("window.close"):
            return "closed"
    return ""


def lists():
    return "\n".join("%s %s %s" % (w.role, w.place, w.texts) for w in widgets() if w.shown() and w.texts) or "nothing"


Atspi.init()
command = {"shows": shows, "hides": hides, "presses": presses, "closes": closes, "lists": lists}[sys.argv[1]]
try:
    done = command(*sys.argv[2:])
except GLib.Error:
    done = ""  # widgets come and go meanwhile
if done:
    print(done)
else:
    # What was read once is kept by the library: the next attempt is a new process.
    time.sleep(0.3)
    os.execv(sys.executable, [sys.executable, "-W", "ignore"] + sys.argv)
