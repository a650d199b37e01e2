package richtext

import (
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// maxHTMLDepth bounds how deep elements may be nested; what is deeper is text.
const maxHTMLDepth = 32

// ParseHTML reads the HTML of a message. mention finds out whether a link is one to a person, a room or a
// group, and returns its node with Kind and ID; it may be nil. Scripts and styles, and the quotation of
// the message that is answered (mx-reply), are left out, and of unknown elements the content is kept.
func ParseHTML(s string, mention func(href string) (Node, bool)) Text {
	nodes, err := html.ParseFragment(strings.NewReader(s), &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body})
	if err != nil {
		return FromPlain(s)
	}
	p := htmlParser{mention: mention}
	var t Text
	for _, n := range nodes {
		t = append(t, p.node(n, maxHTMLDepth)...)
	}
	return tidy(t)
}

type htmlParser struct {
	mention func(href string) (Node, bool)
}

// htmlKinds are the elements that become a node with children.
var htmlKinds = map[atom.Atom]Kind{
	atom.B: Bold, atom.Strong: Bold, atom.I: Italic, atom.Em: Italic, atom.S: Strike, atom.Del: Strike, atom.Strike: Strike,
	atom.U: Under, atom.Blockquote: Quote,
}

func (p htmlParser) node(n *html.Node, depth int) Text {
	switch {
	case n.Type == html.TextNode:
		return flow(n.Data)
	case n.Type != html.ElementNode:
		return nil
	case depth == 0:
		return flow(textOf(n))
	}
	if kind, ok := htmlKinds[n.DataAtom]; ok {
		return Text{{Kind: kind, Children: tidy(p.children(n, depth))}}
	}
	switch n.DataAtom {
	case atom.Script, atom.Style, atom.Head, atom.Title:
		return nil
	case atom.Br:
		return Text{{Kind: Break}}
	case atom.Code, atom.Tt:
		return Text{{Kind: Code, Text: textOf(n)}}
	case atom.Pre:
		return Text{{Kind: Pre, ID: language(n), Text: strings.Trim(textOf(n), "\n")}}
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		return Text{{Kind: Heading, Level: int(n.Data[1] - '0'), Children: tidy(p.children(n, depth))}}
	case atom.Ul, atom.Ol:
		return Text{p.list(n, depth)}
	case atom.A:
		return Text{p.link(n, depth)}
	case atom.Img:
		return image(n)
	case atom.P, atom.Div:
		return append(append(Text{{Kind: Break, Level: paragraph}}, p.children(n, depth)...), Node{Kind: Break, Level: paragraph})
	}
	if n.Data == "mx-reply" {
		return nil
	}
	if _, spoiler := attribute(n, "data-mx-spoiler"); spoiler {
		return Text{{Kind: Spoiler, Children: tidy(p.children(n, depth))}}
	}
	return p.children(n, depth)
}

func (p htmlParser) children(n *html.Node, depth int) (t Text) {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		t = append(t, p.node(c, depth-1)...)
	}
	return t
}

func (p htmlParser) list(n *html.Node, depth int) Node {
	list := Node{Kind: List}
	if n.DataAtom == atom.Ol {
		list.Level = 1
		if start, ok := attribute(n, "start"); ok {
			if i, err := strconv.Atoi(start); err == nil && i > 0 {
				list.Level = i
			}
		}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.DataAtom == atom.Li {
			list.Children = append(list.Children, Node{Kind: Item, Children: tidy(p.children(c, depth-1))})
		}
	}
	return list
}

func (p htmlParser) link(n *html.Node, depth int) Node {
	href, _ := attribute(n, "href")
	if p.mention != nil {
		if m, ok := p.mention(href); ok {
			m.Text = strings.TrimLeft(textOf(n), "@#")
			return m
		}
	}
	label := tidy(p.children(n, depth))
	if label.String() == href {
		label = nil
	}
	return Node{Kind: Link, URL: href, Children: label}
}

// image is a custom emoji, or what a picture shows in words.
func image(n *html.Node) Text {
	alt, _ := attribute(n, "alt")
	src, _ := attribute(n, "src")
	if _, emoji := attribute(n, "data-mx-emoticon"); emoji && alt != "" {
		return Text{{Kind: Emoji, Text: alt, URL: src}}
	}
	return flow(alt)
}

// language is the language of a block of code, which is in the class of its code element.
func language(n *html.Node) string {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		class, _ := attribute(c, "class")
		for word := range strings.FieldsSeq(class) {
			if name, ok := strings.CutPrefix(word, "language-"); ok {
				return name
			}
		}
	}
	return ""
}

func attribute(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

// textOf is the text of an element with all in it, as it is.
func textOf(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		switch {
		case d.Type == html.TextNode:
			b.WriteString(d.Data)
		case d.DataAtom == atom.Br:
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// flow is a text in which line ends are blanks.
func flow(s string) Text {
	words := strings.Join(strings.Fields(s), " ")
	if s != "" && strings.TrimLeft(s, " \t\r\n") != s {
		words = " " + words
	}
	if words != "" && words != " " && strings.TrimRight(s, " \t\r\n") != s {
		words += " "
	}
	if words == "" {
		return nil
	}
	return Text{{Text: words}}
}

// paragraph is the level of a Break at the edge of a paragraph, before tidy.
const paragraph = -1

// tidy makes one Break of the edges of paragraphs that meet, and removes those beside blocks and at the ends, with the blanks there.
func tidy(t Text) Text {
	var out Text
	edge := true // nothing is on the line yet
	pending := false
	for _, n := range t {
		switch {
		case n.Kind == Break && n.Level == paragraph:
			pending = !edge
			continue
		case n.Kind == Plain && edge || n.Kind == Plain && pending:
			n.Text = strings.TrimLeft(n.Text, " ")
			if n.Text == "" {
				continue
			}
		}
		if pending && !n.Kind.Block() {
			out = append(out, Node{Kind: Break})
		}
		pending = false
		out = append(out, n)
		edge = n.Kind.Block() || n.Kind == Break
	}
	for len(out) > 0 && out[len(out)-1].Kind == Break {
		out = out[:len(out)-1]
	}
	if i := len(out) - 1; i >= 0 && out[i].Kind == Plain {
		out[i].Text = strings.TrimRight(out[i].Text, " ")
	}
	return out
}
