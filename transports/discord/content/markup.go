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
	size := 0
	for i := range m.Text {
		size += len(m.Text[i].Text) + len(m.Text[i].URL) + 8
	}
	w.Grow(size)
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

// markOf is the mark that Discord writes on both sides of an inline kind; "" where there is none.
func markOf(k richtext.Kind) string {
	switch k {
	case richtext.Bold:
		return "**"
	case richtext.Italic:
		return "*"
	case richtext.Strike:
		return "~~"
	case richtext.Under:
		return "__"
	case richtext.Spoiler:
		return "||"
	}
	return ""
}

func (w *markup) text(t richtext.Text) {
	block := false
	for i, n := range t {
		if n.Kind.Block() || block {
			w.fresh()
		}
		block = n.Kind.Block()
		if mark := markOf(n.Kind); mark != "" {
			w.wrapped(mark, inner(n.Children))
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
			w.put(all(n))
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

// all alerts everybody where the author has asked for it; else it is text. Discord has no name for the members of a channel.
func all(n richtext.Node) string {
	switch {
	case n.ID == "":
		return escape("@" + n.Text)
	case n.Text == "here":
		return "@here"
	}
	return "@everyone"
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
	if len(t) == 1 && t[0].Kind == richtext.Plain { // nearly all that stands between marks
		return strings.TrimRight(escape(t[0].Text), "\n")
	}
	var w markup
	w.text(t)
	return strings.TrimRight(w.String(), "\n")
}

// wrapped puts a mark round a text, inside of the white space at its ends.
func (w *markup) wrapped(mark, s string) {
	body := strings.TrimSpace(s)
	if body == "" {
		w.put(s)
		return
	}
	at := strings.Index(s, body)
	w.WriteString(s[:at])
	w.WriteString(mark)
	w.WriteString(body)
	w.WriteString(mark)
	w.put(s[at+len(body):])
	w.open = true
}

// link writes a link. An escape in the text behind it would be read as the end of a bare address.
func link(n richtext.Node, behind richtext.Text) string {
	if !strings.HasPrefix(n.URL, "https://") && !strings.HasPrefix(n.URL, "http://") {
		return escape(strings.TrimSpace(n.Children.String() + " " + n.URL))
	}
	url := n.URL
	if strings.ContainsAny(url, " \n<>@]") {
		url = urlEscaper.Replace(url)
	}
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
