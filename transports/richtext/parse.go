package richtext

import (
	"regexp"
	"strings"

	"mellium.im/xmpp/styling"
)

// maxQuote bounds to what depth nested quotations are distinguished.
const maxQuote = 8

// ParseStyling reads a message body with XEP-0393 styling. Addresses of the web become links.
func ParseStyling(body string) Text { return parseBlocks(body, maxQuote) }

func parseBlocks(body string, depth int) Text {
	var t Text
	all := strings.Split(body, "\n")
	plain := false // the last thing was a line of text
	for i := 0; i < len(all); i++ {
		line := all[i]
		switch {
		case strings.HasPrefix(line, "```"): // XEP-0393 §5.1.2
			end := i + 1
			for end < len(all) && all[end] != "```" {
				end++
			}
			t = append(t, Node{Kind: Pre, ID: strings.TrimSpace(line[3:]), Text: strings.Join(all[i+1:end], "\n")})
			i, plain = end, false
		case strings.HasPrefix(line, ">") && depth > 0: // XEP-0393 §5.1.3
			end := i
			var inner []string
			for end < len(all) && strings.HasPrefix(all[end], ">") {
				inner = append(inner, strings.TrimPrefix(all[end][1:], " "))
				end++
			}
			t = append(t, Node{Kind: Quote, Children: parseBlocks(strings.Join(inner, "\n"), depth-1)})
			i, plain = end-1, false
		default:
			if plain {
				t = append(t, Node{Kind: Break})
			}
			if strings.HasPrefix(line, ">") { // deeper than we distinguish; the decoder takes quadratic time for it
				t = append(t, Node{Text: line})
			} else {
				t = append(t, parseSpans(line)...)
			}
			plain = true
		}
	}
	return t
}

var spanKinds = []struct {
	start, end styling.Style
	kind       Kind
}{
	{styling.SpanStrongStart, styling.SpanStrongEnd, Bold},
	{styling.SpanEmphStart, styling.SpanEmphEnd, Italic},
	{styling.SpanStrikeStart, styling.SpanStrikeEnd, Strike},
	{styling.SpanPreStart, styling.SpanPreEnd, Code},
}

// parseSpans reads one line (XEP-0393 §6).
func parseSpans(line string) Text {
	stack := []Node{{}}
	top := func() *Node { return &stack[len(stack)-1] }
	d := styling.NewDecoder(strings.NewReader(line))
	for d.Next() {
		token := d.Token()
		done := false
		for _, s := range spanKinds {
			switch {
			case token.Mask&s.start == s.start:
				stack = append(stack, Node{Kind: s.kind})
				done = true
			case token.Mask&s.end == s.end && len(stack) > 1:
				n := *top()
				stack = stack[:len(stack)-1]
				if n.Kind == Code {
					n.Text, n.Children = n.Children.String(), nil
				}
				top().Children = append(top().Children, n)
				done = true
			}
		}
		if done || len(token.Data) == 0 {
			continue
		}
		if top().Kind == Code {
			top().Children = append(top().Children, Node{Text: string(token.Data)})
			continue
		}
		top().Children = append(top().Children, linkify(string(token.Data))...)
	}
	for len(stack) > 1 { // the decoder closes what it opens; this is for its errors
		n := *top()
		stack = stack[:len(stack)-1]
		top().Children = append(top().Children, n.Children...)
	}
	return stack[0].Children
}

var webAddress = regexp.MustCompile(`https?://[^\s<>"]+[^\s<>".,;:!?'()\]]`)

func linkify(s string) Text {
	var t Text
	last := 0
	for _, at := range webAddress.FindAllStringIndex(s, -1) {
		if at[0] > last {
			t = append(t, Node{Text: s[last:at[0]]})
		}
		t = append(t, Node{Kind: Link, URL: s[at[0]:at[1]]})
		last = at[1]
	}
	if last < len(s) {
		t = append(t, Node{Text: s[last:]})
	}
	return t
}
