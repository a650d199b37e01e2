package demo

import (
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"
	"golang.org/x/text/width"
)

// Widths of the screen in columns.
const (
	screenWidth = 120
	plainWidth  = 80  // where it is no terminal
	wideWidth   = 110 // less is narrow
	leastWidth  = 60
)

// A style is an ANSI escape code.
type style string

const (
	plain  style = ""
	bold   style = "1"
	dim    style = "2"
	red    style = "31"
	green  style = "32"
	yellow style = "33"
	cyan   style = "36"
)

// span is a piece of a line: cut or filled to columns where that is not 0.
type span struct {
	text    string
	style   style
	columns int
}

// screen prints the demo's lines, whole and one at a time. Texts from outside lose their control
// characters, so that no message can control the terminal.
type screen struct {
	mu      sync.Mutex
	w       io.Writer
	columns int
	colour  bool
	empty   bool // the last line was blank
	level   slog.LevelVar
}

func newScreen(w io.Writer) *screen {
	s := &screen{w: w, columns: plainWidth}
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return s
	}
	s.colour = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" // no-color.org
	if columns, _, err := term.GetSize(int(f.Fd())); err == nil {
		s.columns = max(leastWidth, min(columns, screenWidth))
	}
	return s
}

// narrow reports whether a step of a message needs more than one line.
func (s *screen) narrow() bool { return s.columns < wideWidth }

// line prints one line, cut to the width of the screen.
func (s *screen) line(spans ...span) { s.print(s.columns, spans) }

// whole prints one line that is to be copied: it is never cut.
func (s *screen) whole(spans ...span) { s.print(math.MaxInt, spans) }

func (s *screen) print(left int, spans []span) {
	var b strings.Builder
	for _, p := range spans {
		room := left
		if p.columns > 0 {
			room = min(left, p.columns)
		}
		text, used := fit(clean(p.text), room)
		left -= used
		if p.columns > 0 {
			fill := min(left, p.columns-used)
			text += strings.Repeat(" ", fill)
			left -= fill
		}
		if s.colour && p.style != plain && text != "" {
			text = "\x1b[" + string(p.style) + "m" + text + "\x1b[0m"
		}
		b.WriteString(text)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.empty = false
	fmt.Fprintln(s.w, strings.TrimRight(b.String(), " ")) // a closed terminal does not end the demo
}

// say prints a plain line.
func (s *screen) say(format string, args ...any) {
	s.line(span{text: fmt.Sprintf(format, args...)})
}

// paragraph prints a text on as many lines as it needs.
func (s *screen) paragraph(format string, args ...any) {
	for _, line := range wrap(fmt.Sprintf(format, args...), s.columns) {
		s.line(span{text: line})
	}
}

// entry prints a named value: the name at the left, the value on as many lines as it needs.
func (s *screen) entry(name, value string, looks style) {
	for _, line := range wrap(value, s.columns-nameColumns) {
		s.line(span{name, plain, nameColumns}, span{line, looks, 0})
		name = ""
	}
}

// blank prints an empty line, but never two.
func (s *screen) blank() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.empty {
		fmt.Fprintln(s.w)
	}
	s.empty = true
}

// heading prints a heading.
func (s *screen) heading(text string) {
	s.blank()
	for _, line := range wrap(text, s.columns) {
		s.line(span{text: line, style: bold})
	}
}

// clean makes one line of a text, without control characters.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r' || r == '\u2028' || r == '\u2029':
			return ' '
		case r == utf8.RuneError || !unicode.IsGraphic(r): // controls, and changes of the direction of writing
			return -1
		}
		return r
	}, text)
}

// fit cuts a text to a number of columns and tells how many it takes.
func fit(text string, columns int) (string, int) {
	used, cut := 0, 0 // cut is where an ellipsis would still have room
	for i, r := range text {
		w := columnsOf(r)
		if used+w > columns {
			return text[:cut] + "…", min(columnsIn(text[:cut])+1, columns)
		}
		used += w
		if used < columns {
			cut = i + utf8.RuneLen(r)
		}
	}
	return text, used
}

func columnsIn(text string) int {
	n := 0
	for _, r := range text {
		n += columnsOf(r)
	}
	return n
}

// columnsOf is how many columns a terminal uses for a character.
func columnsOf(r rune) int {
	if unicode.In(r, unicode.Mn, unicode.Me) || r == '\ufe0f' {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// wrap cuts a text into lines of so many columns at most, between words where it can.
func wrap(text string, columns int) []string {
	var lines []string
	for part := range strings.SplitSeq(text, "\n") {
		line := ""
		for _, word := range strings.Fields(clean(part)) {
			if line != "" && columnsIn(line)+1+columnsIn(word) > columns {
				lines = append(lines, line)
				line = ""
			}
			if line != "" {
				line += " "
			}
			line += word
		}
		lines = append(lines, line)
	}
	return lines
}
