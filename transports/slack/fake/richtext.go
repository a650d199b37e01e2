package fake

import (
	"regexp"
	"strings"
)

// richText is the rich_text block that Slack makes of a text on the wire: what its own
// clients send for people, and what it adds to the posts of apps that have no blocks.
func richText(wire string) []any {
	if wire == "" {
		return nil
	}
	var elements []any
	for i, part := range strings.Split(wire, "```") {
		if i%2 == 1 {
			if code := inline(strings.Trim(part, "\n"), nil, true); len(code) > 0 {
				elements = append(elements, element("rich_text_preformatted", code, "border", 0))
				continue
			}
			part = "```" + part + "```" // an empty one is text
		}
		elements = append(elements, lines(part)...)
	}
	if len(elements) == 0 {
		return nil
	}
	return []any{map[string]any{"type": "rich_text", "block_id": secret(3)[:5], "elements": elements}}
}

func element(typ string, content []any, more ...any) map[string]any {
	if content == nil {
		content = []any{}
	}
	e := map[string]any{"type": typ, "elements": content}
	for i := 0; i+1 < len(more); i += 2 {
		e[more[i].(string)] = more[i+1]
	}
	return e
}

var ordered = regexp.MustCompile(`^[0-9]{1,3}\. `)

// lineKind says to which element a line belongs, and what of it is content.
func lineKind(l string) (kind, rest string) {
	switch {
	case strings.HasPrefix(l, "&gt; "), l == "&gt;":
		return "quote", strings.TrimPrefix(strings.TrimPrefix(l, "&gt;"), " ")
	case strings.HasPrefix(l, "• "):
		return "bullet", strings.TrimPrefix(l, "• ")
	case ordered.MatchString(l):
		return "ordered", ordered.ReplaceAllString(l, "")
	}
	return "section", l
}

// lines are the elements of a text without code blocks.
func lines(text string) []any {
	var out []any
	all := strings.Split(strings.Trim(text, "\n"), "\n")
	for i := 0; i < len(all); {
		kind, _ := lineKind(all[i])
		var run []string
		for ; i < len(all); i++ {
			k, rest := lineKind(all[i])
			if k != kind {
				break
			}
			run = append(run, rest)
		}
		switch kind {
		case "bullet", "ordered":
			var items []any
			for _, r := range run {
				items = append(items, element("rich_text_section", inline(r, nil, false)))
			}
			out = append(out, element("rich_text_list", items, "style", kind, "indent", 0, "border", 0))
		default:
			content := inline(strings.Join(run, "\n"), nil, false)
			if len(content) > 0 {
				out = append(out, element("rich_text_"+kind, content))
			}
		}
	}
	return out
}

var shortcode = regexp.MustCompile(`^:([a-z0-9_+'-]+):(?::skin-tone-([2-6]):)?`)

var styles = map[byte]string{'*': "bold", '_': "italic", '~': "strike", '`': "code"}

// inline are the elements of a piece of text; style is what is on around it. Inside code only
// links and mentions keep their meaning.
func inline(s string, style map[string]any, code bool) []any {
	var out []any
	var plain strings.Builder
	flush := func() {
		if plain.Len() > 0 {
			out = append(out, styled(map[string]any{"type": "text", "text": unescape.Replace(plain.String())}, style))
			plain.Reset()
		}
	}
	for i := 0; i < len(s); {
		if s[i] == '<' {
			if m := control.FindString(s[i:min(len(s), i+maxToken)]); m != "" {
				flush()
				out = append(out, styled(controlElement(m), style))
				i += len(m)
				continue
			}
		}
		if !code {
			if m := shortcode.FindStringSubmatch(s[i:min(len(s), i+maxToken)]); m != nil {
				flush()
				out = append(out, styled(emojiElement(m[1], m[2]), style))
				i += len(m[0])
				continue
			}
			if name, inner := span(s, i); name != "" && style[name] == nil {
				flush()
				with := map[string]any{name: true}
				for k, v := range style {
					with[k] = v
				}
				out = append(out, inline(inner, with, name == "code")...)
				i += len(inner) + 2
				continue
			}
		}
		plain.WriteByte(s[i])
		i++
	}
	flush()
	return out
}

func styled(e, style map[string]any) map[string]any {
	if len(style) > 0 && e["type"] != "emoji" {
		e["style"] = style
	}
	return e
}

// span is the styled piece that begins at s[i], if one does: a marker at the edge of words on
// both sides, no line break between.
func span(s string, i int) (name, inner string) {
	name = styles[s[i]]
	if name == "" || i > 0 && wordByte(s[i-1]) || i+1 >= len(s) || s[i+1] == ' ' || s[i+1] == s[i] {
		return "", ""
	}
	for j := i + 2; j < min(len(s), i+maxToken) && s[j] != '\n'; j++ {
		if s[j] == s[i] && s[j-1] != ' ' && (j+1 == len(s) || !wordByte(s[j+1])) {
			return name, s[i+1 : j]
		}
	}
	return "", ""
}

func wordByte(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b >= 0x80
}

func controlElement(m string) map[string]any {
	body, label, labelled := strings.Cut(m[1:len(m)-1], "|")
	switch {
	case strings.HasPrefix(body, "@"):
		return map[string]any{"type": "user", "user_id": body[1:]}
	case strings.HasPrefix(body, "#"):
		return map[string]any{"type": "channel", "channel_id": body[1:]}
	case strings.HasPrefix(body, "!subteam^"):
		return map[string]any{"type": "usergroup", "usergroup_id": strings.TrimPrefix(body, "!subteam^")}
	case strings.HasPrefix(body, "!date^"):
		return map[string]any{"type": "text", "text": unescape.Replace(label)}
	case strings.HasPrefix(body, "!"):
		return map[string]any{"type": "broadcast", "range": body[1:]}
	}
	e := map[string]any{"type": "link", "url": unescape.Replace(body)}
	if labelled {
		e["text"] = unescape.Replace(label)
	}
	return e
}

func emojiElement(name, tone string) map[string]any {
	e := map[string]any{"type": "emoji", "name": name}
	if u := emojiUnicode(name); u != "" {
		e["unicode"] = u
	}
	if tone != "" {
		e["skin_tone"] = int(tone[0] - '0')
	}
	return e
}
