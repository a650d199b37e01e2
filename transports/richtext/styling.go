package richtext

import (
	"strconv"
	"strings"
)

// Styling renders the text as a message body with XEP-0393 styling.
func (t Text) Styling() string {
	var w lines
	w.styled(t)
	return strings.TrimRight(w.String(), "\n")
}

func (w *lines) styled(t Text) {
	block := false
	for i, n := range t {
		if n.Kind.Block() || block {
			w.fresh()
		}
		block = n.Kind.Block()
		switch n.Kind {
		case Break:
			w.WriteByte('\n')
			w.open = false
		case Bold:
			w.put(Span("*", n.Children.Styling()))
		case Italic, Under:
			w.put(Span("_", n.Children.Styling()))
		case Strike:
			w.put(Span("~", n.Children.Styling()))
		case Code:
			w.put(code(n.Text))
		case Spoiler:
			w.put("(spoiler) " + n.Children.Styling())
		case Heading:
			w.put(Span("*", heading(n.Children)))
		case Link:
			w.put(n.link())
		case Pre:
			w.put(fence(n.ID, n.Text))
		case Quote:
			w.put(prefix(n.Children.Styling(), "> ", "> "))
		case List:
			w.put(n.list())
		case Item:
			w.put(n.item("- "))
		default:
			w.put(n.label())
		}
		if block && i < len(t)-1 {
			w.fresh()
		}
	}
}

// heading is the text of a heading, which is bold as a whole: other directives in it would end that.
func heading(t Text) string { return unmarked(t).Styling() }

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
func Span(mark, s string) string {
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
		b.WriteString(line[:at] + mark + inner + mark + line[at+len(inner):])
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
	if label == "" || label == n.URL || "http://"+label == n.URL || "https://"+label == n.URL || "mailto:"+label == n.URL {
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

func (n Node) list() string {
	var b strings.Builder
	for i, item := range n.Children {
		if i > 0 {
			b.WriteByte('\n')
		}
		mark := "- "
		if n.Level > 0 {
			mark = strconv.Itoa(n.Level+i) + ". "
		}
		b.WriteString(item.item(mark))
	}
	return b.String()
}

func (n Node) item(mark string) string {
	return prefix(n.Children.Styling(), mark, strings.Repeat(" ", len(mark)))
}

func prefix(s, first, rest string) string {
	return first + strings.ReplaceAll(s, "\n", "\n"+rest)
}
