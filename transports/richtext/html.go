package richtext

import (
	"html"
	"net/url"
	"strconv"
	"strings"
)

// HTML renders the text as HTML of the tags that chat networks with HTML have in common. href is the address
// of a mention, a channel or a group; "" leaves its name. It may be nil.
func (t Text) HTML(href func(Node) string) string {
	w := htmlWriter{href: href}
	w.nodes(t)
	return w.String()
}

type htmlWriter struct {
	strings.Builder
	href func(Node) string
}

// htmlTags are the tags of nodes that have nothing but children.
var htmlTags = map[Kind]string{Bold: "strong", Italic: "em", Strike: "del", Under: "u", Quote: "blockquote", Item: "li"}

func (w *htmlWriter) nodes(t Text) {
	for _, n := range t {
		w.node(n)
	}
}

func (w *htmlWriter) node(n Node) {
	if tag, ok := htmlTags[n.Kind]; ok {
		w.element(tag, "", n.Children)
		return
	}
	switch n.Kind {
	case Break:
		w.WriteString("<br>")
	case Spoiler:
		w.element("span", " data-mx-spoiler", n.Children)
	case Heading:
		w.element("h"+strconv.Itoa(min(max(n.Level, 1), 6)), "", n.Children)
	case List:
		w.list(n)
	case Code:
		w.WriteString("<code>" + html.EscapeString(n.Text) + "</code>")
	case Pre:
		w.pre(n)
	case Link:
		w.link(n)
	case Mention, Channel, Group:
		w.mention(n)
	case Emoji:
		w.emoji(n)
	default:
		w.WriteString(html.EscapeString(n.label()))
	}
}

func (w *htmlWriter) element(tag, attributes string, children Text) {
	w.WriteString("<" + tag + attributes + ">")
	w.nodes(children)
	w.WriteString("</" + tag + ">")
}

func (w *htmlWriter) list(n Node) {
	switch {
	case n.Level > 1:
		w.element("ol", ` start="`+strconv.Itoa(n.Level)+`"`, n.Children)
	case n.Level == 1:
		w.element("ol", "", n.Children)
	default:
		w.element("ul", "", n.Children)
	}
}

func (w *htmlWriter) pre(n Node) {
	class := ""
	if n.ID != "" {
		class = ` class="language-` + html.EscapeString(n.ID) + `"`
	}
	w.WriteString("<pre><code" + class + ">" + html.EscapeString(n.Text) + "</code></pre>")
}

func (w *htmlWriter) link(n Node) {
	label := n.Children
	if len(label) == 0 {
		label = Text{{Text: n.URL}}
	}
	if !linkable(n.URL) {
		w.nodes(label)
		return
	}
	w.element("a", ` href="`+html.EscapeString(n.URL)+`"`, label)
}

func (w *htmlWriter) mention(n Node) {
	to := ""
	if w.href != nil {
		to = w.href(n)
	}
	if to == "" {
		w.WriteString(html.EscapeString(n.label()))
		return
	}
	w.element("a", ` href="`+html.EscapeString(to)+`"`, Text{{Text: n.label()}})
}

// emoji writes a custom emoji as a picture where its address is known, else as text.
func (w *htmlWriter) emoji(n Node) {
	text := html.EscapeString(n.Text)
	if n.URL == "" {
		w.WriteString(text)
		return
	}
	w.WriteString(`<img data-mx-emoticon src="` + html.EscapeString(n.URL) + `" alt="` + text + `" title="` + text + `" height="32">`)
}

// linkable reports whether an address may be followed by a click.
func linkable(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	switch strings.ToLower(u.Scheme) {
	case "http", "https":
		return u.Host != ""
	case "mailto", "xmpp", "geo", "tel":
		return u.Opaque != ""
	}
	return false
}
