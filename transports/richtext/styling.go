package richtext

import (
	"strconv"
	"strings"
)

// Styling renders the text as a message body with XEP-0393 styling.
func (t Text) Styling() string { return t.styling(nil) }

// styling is Styling; ranges gets what is where, if it is not nil.
func (t Text) styling(ranges *ranges) string {
	if len(t) == 1 && t[0].Kind == Plain { // nearly all that stands in spans
		return strings.TrimRight(ranges.text(t[0].Text), "\n")
	}
	w := lines{ranges: ranges}
	w.Grow(t.size())
	w.styled(t)
	return strings.TrimRight(w.String(), "\n")
}

// size is about how many bytes the texts in t and in its children have. Those further down are not counted: they are looked at once for
// each level.
func (t Text) size() (n int) {
	for i := range t {
		n += len(t[i].Text) + len(t[i].URL) + 2
		for k := range t[i].Children {
			n += len(t[i].Children[k].Text) + 2
		}
	}
	return n
}

func (w *lines) styled(t Text) {
	block := false
	for i, n := range t {
		if n.Kind.Block() || block {
			w.fresh()
		}
		block = n.Kind.Block()
		if block {
			w.put(w.ranges.around(n, w.block(n)))
		} else if n.Kind == Break {
			w.WriteByte('\n')
			w.open = false
		} else if mark := spanMark(n.Kind); mark != "" && w.ranges == nil {
			w.span(mark, n.Children.styling(nil))
		} else {
			w.put(w.inline(n))
		}
		if block && i < len(t)-1 {
			w.fresh()
		}
	}
}

// spanMark is the directive of a kind that has one on both sides.
func spanMark(k Kind) string {
	switch k {
	case Bold:
		return "*"
	case Italic, Under:
		return "_"
	case Strike:
		return "~"
	}
	return ""
}

// span writes what Span returns.
func (w *lines) span(mark, s string) {
	if strings.IndexByte(s, '\n') >= 0 || !spannable(s) {
		w.put(Span(mark, s))
		return
	}
	w.WriteString(mark)
	w.WriteString(s)
	w.put(mark)
}

// spannable reports whether a directive can stand directly on both sides of a line.
func spannable(line string) bool {
	return line != "" && !spaceAfter(line) && !spaceBefore(line) && !strings.HasPrefix(line, "> ") && !strings.HasPrefix(line, fenceMark)
}

func (w *lines) inline(n Node) string {
	switch n.Kind {
	case Bold, Italic, Under, Strike:
		return w.ranges.span(n, spanMark(n.Kind), n.Children.styling(w.ranges))
	case Code:
		return w.ranges.around(n, code(w.ranges.text(n.Text)))
	case Spoiler:
		return "(spoiler) " + n.Children.styling(w.ranges)
	case Link:
		return n.link()
	case Mention, Channel, Group, All:
		return w.ranges.around(n, w.ranges.text(n.label()))
	}
	return w.ranges.text(n.label())
}

func (w *lines) block(n Node) string {
	switch n.Kind {
	case Heading:
		return w.ranges.span(n, "*", unmarked(n.Children).styling(w.ranges))
	case Pre:
		return fence(n.ID, w.ranges.text(n.Text))
	case Quote:
		return prefix(n.Children.styling(w.ranges), "> ", "> ")
	case List:
		return n.list(w.ranges)
	}
	return n.item("- ", w.ranges)
}

// unmarked is a text without spans.
func unmarked(t Text) (flat Text) {
	for _, n := range t {
		switch n.Kind {
		case Bold, Italic, Strike, Under:
			flat = append(flat, unmarked(n.Children)...)
		default:
			flat = append(flat, n)
		}
	}
	return flat
}

// Span puts a directive round each line: XEP-0393 §6 lets none cross a line, nor
// stand beside white space on its inner side.
func Span(mark, s string) string { return (*ranges)(nil).span(Node{}, mark, s) }

func (p *ranges) span(n Node, mark, s string) string {
	if strings.IndexByte(s, '\n') < 0 && spannable(s) {
		return p.around(n, mark+s+mark)
	}
	var b strings.Builder
	for i, line := range strings.Split(s, "\n") {
		if i > 0 {
			b.WriteByte('\n')
		}
		inner := strings.TrimSpace(line)
		if inner == "" || strings.HasPrefix(inner, "> ") || strings.HasPrefix(inner, "```") {
			b.WriteString(line)
			continue
		}
		at := strings.Index(line, inner)
		b.WriteString(line[:at] + p.around(n, mark+inner+mark) + line[at+len(inner):])
	}
	return b.String()
}

func code(s string) string {
	if s == "" || strings.ContainsAny(s, "`\n") {
		return s
	}
	return "`" + s + "`"
}

// fence writes a preformatted block; a line of the text that would close it is indented.
func fence(language, s string) string {
	body := strings.ReplaceAll("\n"+strings.Trim(s, "\n"), "\n```", "\n ```")
	return "```" + strings.Join(strings.Fields(language), " ") + body + "\n```"
}

// link writes a link with its label before it, so that nobody is deceived by one that looks like another address.
func (n Node) link() string {
	label := undirected(n.Children.Styling())
	if n.URL == "" {
		return label
	}
	if mail, ok := strings.CutPrefix(n.URL, "mailto:"); ok && mail != "" && (label == "" || label == mail) {
		return mail // as people write it; networks make a link of it
	}
	if label == "" || label == n.URL || "http://"+label == n.URL || "https://"+label == n.URL {
		return n.URL
	}
	return label + " <" + n.URL + ">"
}

// undirected is a text without the characters that change the direction of what follows, which could turn
// an address behind it round.
func undirected(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 {
			return -1
		}
		return r
	}, s)
}

func (n Node) list(p *ranges) string {
	var b strings.Builder
	for i, item := range n.Children {
		if i > 0 {
			b.WriteByte('\n')
		}
		mark := "- "
		if n.Level > 0 {
			mark = strconv.Itoa(n.Level+i) + ". "
		}
		b.WriteString(p.around(item, item.item(mark, p)))
	}
	return b.String()
}

func (n Node) item(mark string, p *ranges) string {
	return prefix(n.Children.styling(p), mark, strings.Repeat(" ", len(mark)))
}

func prefix(s, first, rest string) string {
	return first + strings.ReplaceAll(s, "\n", "\n"+rest)
}
