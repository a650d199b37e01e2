package content

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// Markup renders an outgoing text as Discord's Markdown. What would be markup in plain text is escaped.
func Markup(m transports.Outgoing) string {
	var w markup
	w.text(m.Text)
	out := strings.TrimRight(w.String(), "\n")
	if m.Me {
		return "_" + out + "_"
	}
	return out
}

// Length is how many characters a text has as Markdown.
func Length(t richtext.Text) int { return utf8.RuneCountInString(inner(t)) }

type markup struct {
	strings.Builder
	open bool
}

func (w *markup) put(s string) {
	if s != "" {
		w.WriteString(s)
		w.open = !strings.HasSuffix(s, "\n")
	}
}

func (w *markup) fresh() {
	if w.open {
		w.put("\n")
	}
}

// marks are the inline kinds that Discord writes with the same mark on both sides.
var marks = map[richtext.Kind]string{
	richtext.Bold: "**", richtext.Italic: "*", richtext.Strike: "~~", richtext.Under: "__", richtext.Spoiler: "||",
}

func (w *markup) text(t richtext.Text) {
	block := false
	for i, n := range t {
		if n.Kind.Block() || block {
			w.fresh()
		}
		block = n.Kind.Block()
		if mark, ok := marks[n.Kind]; ok {
			w.put(wrap(mark, inner(n.Children)))
			continue
		}
		switch n.Kind {
		case richtext.Break:
			w.put("\n")
		case richtext.Code:
			if n.Text != "" {
				w.put("`" + strings.ReplaceAll(n.Text, "`", "ˋ") + "`")
			}
		case richtext.Link:
			w.put(link(n, t[i+1:]))
		case richtext.Mention:
			if IsSnowflake(n.ID) {
				w.put("<@" + n.ID + ">")
			} else {
				w.put(escape("@" + n.Text))
			}
		case richtext.Channel:
			if IsSnowflake(n.ID) {
				w.put("<#" + n.ID + ">")
			} else {
				w.put(escape("#" + n.Text))
			}
		case richtext.Group:
			if IsSnowflake(n.ID) {
				w.put("<@&" + n.ID + ">")
			} else {
				w.put(escape("@" + n.Text))
			}
		case richtext.All:
			w.put(escape("@" + n.Text))
		case richtext.Emoji:
			w.put(emoji(n))
		case richtext.Pre:
			w.put(preformatted(n))
		case richtext.Quote:
			w.put("> " + strings.ReplaceAll(inner(n.Children), "\n", "\n> "))
		case richtext.Heading:
			w.put(strings.Repeat("#", min(max(n.Level, 1), 3)) + " " + strings.ReplaceAll(inner(n.Children), "\n", " "))
		case richtext.List:
			w.list(n)
		case richtext.Item:
			w.text(n.Children)
		default:
			w.put(escape(n.Text))
		}
	}
}

// emoji writes one of Unicode, or one of the guild's own, whose name may have an "a" before it where it is animated.
func emoji(n richtext.Node) string {
	if IsSnowflake(n.ID) && emojiName.MatchString(n.Text) {
		return "<" + n.Text + n.ID + ">"
	}
	return escape(n.Text)
}

var emojiName = regexp.MustCompile(`^a?:\w+:$`)

func (w *markup) list(n richtext.Node) {
	for i, item := range n.Children {
		w.fresh()
		mark := "- "
		if n.Level > 0 {
			mark = strconv.Itoa(n.Level+i) + ". "
		}
		w.put(mark + strings.ReplaceAll(inner(item.Children), "\n", "\n"+strings.Repeat(" ", len(mark))))
	}
}

// preformatted writes a block of code. What is no name of a language is its first line.
func preformatted(n richtext.Node) string {
	language, text := n.ID, strings.Trim(n.Text, "\n")
	if language != "" && !richtext.IsLanguage(language) {
		language, text = "", language+"\n"+text
	}
	return "```" + language + "\n" + strings.ReplaceAll(text, "```", "ˋˋˋ") + "\n```"
}

func inner(t richtext.Text) string {
	var w markup
	w.text(t)
	return strings.TrimRight(w.String(), "\n")
}

// wrap puts a mark round text, inside of the white space at its ends.
func wrap(mark, s string) string {
	body := strings.TrimSpace(s)
	if body == "" {
		return s
	}
	at := strings.Index(s, body)
	return s[:at] + mark + body + mark + s[at+len(body):]
}

// link writes a link. An escape in the text behind it would be read as the end of a bare address.
func link(n richtext.Node, behind richtext.Text) string {
	if !strings.HasPrefix(n.URL, "https://") && !strings.HasPrefix(n.URL, "http://") {
		return escape(strings.TrimSpace(n.Children.String() + " " + n.URL))
	}
	url := urlEscaper.Replace(n.URL)
	label := inner(n.Children)
	if label == "" || n.Children.String() == n.URL {
		if len(behind) > 0 && behind[0].Kind == richtext.Plain && strings.HasPrefix(escape(behind[0].Text), `\`) {
			return "<" + url + ">"
		}
		return url
	}
	url = strings.ReplaceAll(url, ")", "%29")
	return "[" + labelEscaper.Replace(label) + "](" + url + ")"
}

var (
	urlEscaper   = strings.NewReplacer(" ", "%20", "\n", "", "<", "%3C", ">", "%3E", "@everyone", "%40everyone", "@here", "%40here", "](", "%5D(")
	labelEscaper = strings.NewReplacer("[", "(", "]", ")")
)

var escaper = strings.NewReplacer(
	`\`, `\\`, "*", `\*`, "_", `\_`, "~", `\~`, "`", "\\`", "|", `\|`, "<", `\<`, "@everyone", "@\u200beveryone", "@here", "@\u200bhere", "](", `]\(`,
	"://", `\://`, // what is a link is none of the text
)

// lineMark is what Discord would take for the mark of a quotation, a heading, small text or an item of a list, which it
// numbers itself.
var lineMark = regexp.MustCompile(`^( *)(>|#|-#|[-+] |\d+([.)]) )`)

// escape keeps plain text plain; addresses of the web are left as they are.
func escape(s string) string {
	var b strings.Builder
	for i, line := range strings.Split(s, "\n") {
		if i > 0 {
			b.WriteByte('\n')
		}
		if at := lineMark.FindStringSubmatchIndex(line); at != nil {
			mark := at[4] // of the mark itself, or the dot behind a number
			if at[6] >= 0 {
				mark = at[6]
			}
			b.WriteString(line[:mark] + `\`)
			line = line[mark:]
		}
		b.WriteString(escaper.Replace(line))
	}
	return b.String()
}

// IsSnowflake reports whether an id can be one of Discord's, and be put into a URL.
func IsSnowflake(id string) bool {
	_, err := strconv.ParseUint(id, 10, 64)
	return err == nil && len(id) <= 20
}

// Shorten cuts a text to at most n characters.
func Shorten(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}
