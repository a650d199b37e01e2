package content

import (
	"html"
	"strconv"
	"strings"

	"github.com/dragoman-im/dragoman/transports/richtext"
)

// Parse reads mrkdwn: what is in angle brackets is set aside, the rest is XEP-0393's styling.
func (r *Reader) Parse(text string) richtext.Text {
	marked := make([]richtext.Node, 0, min(strings.Count(text, "<"), maxMarked))
	var b strings.Builder
	b.Grow(len(text))
	for rest := dropMarks(text); rest != ""; {
		before, after, found := strings.Cut(rest, "<")
		b.WriteString(before)
		if !found {
			break
		}
		inner, tail, closed := strings.Cut(after, ">")
		if !closed {
			b.WriteString("<" + after)
			break
		}
		b.WriteByte(markBegin)
		b.WriteString(strconv.Itoa(len(marked)))
		b.WriteByte(markEnd)
		marked = append(marked, r.bracket(inner))
		rest = tail
	}
	body := strings.ReplaceAll(b.String(), "&gt;", ">")
	t := richtext.ParseStyling(ownLines(body))
	return r.insertMarked(t, marked, maxBlockDepth)
}

// maxMarked is for how many parts in angle brackets memory is set aside before a text is read.
const maxMarked = 1024

// ownLines puts fences on lines of their own, as XEP-0393 wants them.
func ownLines(s string) string {
	parts := strings.Split(s, "```")
	if len(parts) < 3 {
		return s
	}
	var b strings.Builder
	for i, part := range parts {
		switch {
		case i%2 == 1 && i < len(parts)-1:
			b.WriteString("```\n" + strings.Trim(part, "\n") + "\n```")
			if i+1 < len(parts) && parts[i+1] != "" && !strings.HasPrefix(parts[i+1], "\n") {
				b.WriteByte('\n')
			}
		default:
			b.WriteString(part)
			if i+2 < len(parts) && part != "" && !strings.HasSuffix(part, "\n") {
				b.WriteByte('\n')
			}
		}
	}
	return b.String()
}

// insertMarked puts the leaves back and resolves entities and emoji names in the text between them. It may change t.
func (r *Reader) insertMarked(t richtext.Text, marked []richtext.Node, depth int) richtext.Text {
	plain := func(n richtext.Node) string { return richtext.Text{n}.String() }
	var out richtext.Text // nil as long as it would be the same nodes as in t
	for i, n := range t {
		if n.Kind == richtext.Plain && (n.Text == "" || strings.IndexByte(n.Text, markBegin) >= 0) || n.Kind == richtext.Link && strings.IndexByte(n.URL, markBegin) >= 0 {
			if out == nil {
				out = append(make(richtext.Text, 0, len(t)+2*strings.Count(n.Text, string(markBegin))+2), t[:i]...)
			}
			if n.Kind == richtext.Plain {
				out = appendMarked(out, n.Text, marked)
				continue
			}
			url, rest, _ := strings.Cut(n.URL, string(markBegin)) // a bare address, which what stands in brackets ends
			n.URL = html.UnescapeString(url)
			out = appendMarked(append(out, n), string(markBegin)+rest, marked)
			continue
		}
		switch n.Kind {
		case richtext.Plain:
			n.Text = readable(n.Text)
		case richtext.Pre, richtext.Code:
			n.Text = html.UnescapeString(fillMarks(n.Text, marked, plain))
			n.ID = fillMarks(n.ID, marked, plain)
		case richtext.Link:
			n.URL = html.UnescapeString(n.URL)
		}
		if n.Kind != richtext.Plain && n.Kind != richtext.Link && depth > 0 {
			n.Children = r.insertMarked(n.Children, marked, depth-1)
		}
		if out != nil {
			out = append(out, n)
		} else {
			t[i] = n
		}
	}
	if out == nil {
		return t
	}
	return out
}

// appendMarked appends a text and the leaves in it to t.
func appendMarked(t richtext.Text, s string, marked []richtext.Node) richtext.Text {
	eachMark(s, func(text string) {
		t = append(t, richtext.Node{Text: readable(text)})
	}, func(i int) {
		if i < len(marked) {
			t = append(t, marked[i])
		}
	})
	return t
}

// readable is a text with its entities and the names of emoji resolved.
func readable(s string) string { return Emojis(html.UnescapeString(s)) }

// bracket reads what stands in angle brackets: @U…, #C…|name, !here, !subteam^S…|name, a link.
func (r *Reader) bracket(inner string) richtext.Node {
	target, label, _ := strings.Cut(inner, "|")
	label = html.UnescapeString(label)
	switch {
	case strings.HasPrefix(target, "@"):
		return r.mention(target[1:], label)
	case strings.HasPrefix(target, "#"):
		return r.channelNode(target[1:], label)
	case strings.HasPrefix(target, "!subteam^"):
		return r.group(target[9:], strings.TrimPrefix(label, "@"))
	case target == "!here" || target == "!channel" || target == "!everyone":
		return richtext.Node{Kind: richtext.All, Text: target[1:]}
	case strings.HasPrefix(target, "!"):
		if label == "" {
			label = target[1:]
		}
		return richtext.Node{Text: label}
	}
	n := richtext.Node{Kind: richtext.Link, URL: html.UnescapeString(target)}
	if label != "" && label != n.URL {
		n.Children = richtext.Text{{Text: label}}
	}
	return n
}

// skinTone is the name of the skin tone, in colons, that a text begins with.
func skinTone(s string) string {
	if !strings.HasPrefix(s, ":skin-tone-") {
		return ""
	}
	name, _, closed := strings.Cut(s[1:], ":")
	if tones[name] == "" || !closed {
		return ""
	}
	return name
}

// unescaper is the reverse of escaper.
var unescaper = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")

// Unescape is a name, which has no markup, but in which Slack escapes the same characters as in texts.
func Unescape(s string) string { return unescaper.Replace(s) }

// Emojis replaces the names in colons that stand for a Unicode emoji.
func Emojis(s string) string {
	if strings.Count(s, ":") < 2 {
		return s
	}
	var b strings.Builder
	for s != "" {
		start := strings.IndexByte(s, ':')
		if start < 0 {
			break
		}
		end := strings.IndexByte(s[start+1:], ':')
		if end < 0 {
			break
		}
		if e, ok := slackEmojis().byName[s[start+1:start+end+1]]; ok {
			b.WriteString(s[:start])
			s = s[start+end+2:]
			tone := skinTone(s)
			b.WriteString(toned(e.char, tones[tone]))
			if tone != "" {
				s = s[len(tone)+2:]
			}
			continue
		}
		b.WriteString(s[:start+end+1])
		s = s[start+end+1:]
	}
	return b.String() + s
}
