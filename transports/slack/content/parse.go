package content

import (
	"html"
	"strings"

	"github.com/dragoman-im/dragoman/transports/richtext"
)

// Parse reads mrkdwn: what is in angle brackets is set aside, the rest is XEP-0393's styling.
func (r *Reader) Parse(text string) richtext.Text {
	var marked []richtext.Node
	var b strings.Builder
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
		b.WriteString(placeholder(len(marked)))
		marked = append(marked, r.bracket(inner))
		rest = tail
	}
	body := strings.ReplaceAll(b.String(), "&gt;", ">")
	t := richtext.ParseStyling(ownLines(body))
	return r.insertMarked(t, marked, maxBlockDepth)
}

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

// place puts the leaves back and resolves entities and emoji names in the text between them.
func (r *Reader) insertMarked(t richtext.Text, marked []richtext.Node, depth int) richtext.Text {
	plain := func(n richtext.Node) string { return richtext.Text{n}.String() }
	var out richtext.Text
	between := func(text string) {
		eachMark(text, func(text string) {
			out = append(out, richtext.Node{Text: Emojis(html.UnescapeString(text))})
		}, func(i int) {
			if i < len(marked) {
				out = append(out, marked[i])
			}
		})
	}
	for _, n := range t {
		switch n.Kind {
		case richtext.Plain:
			between(n.Text)
			continue
		case richtext.Pre, richtext.Code:
			n.Text = html.UnescapeString(fillMarks(n.Text, marked, plain))
			n.ID = fillMarks(n.ID, marked, plain)
		case richtext.Link: // a bare address, which what stands in brackets ends
			url, rest, found := strings.Cut(n.URL, string(markBegin))
			n.URL = html.UnescapeString(url)
			out = append(out, n)
			if found {
				between(string(markBegin) + rest)
			}
			continue
		}
		if depth > 0 {
			n.Children = r.insertMarked(n.Children, marked, depth-1)
		}
		out = append(out, n)
	}
	return out
}

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
	for name := range tones {
		if strings.HasPrefix(s, ":"+name+":") {
			return name
		}
	}
	return ""
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
