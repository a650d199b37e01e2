package richtext

import "strings"

// Text is a message's text.
type Text []Node

// Kind is what a node is.
type Kind string

// The kinds of nodes.
const (
	Plain   Kind = ""        // Text
	Break   Kind = "br"      // end of a line
	Bold    Kind = "b"       // Children
	Italic  Kind = "i"       // Children
	Strike  Kind = "s"       // Children
	Under   Kind = "u"       // Children
	Spoiler Kind = "spoiler" // Children
	Code    Kind = "code"    // Text, inline
	Link    Kind = "a"       // URL; Children are the label, none where it is the URL itself
	Mention Kind = "user"    // ID of a user, Text is the name
	Channel Kind = "room"    // ID of a room, Text is the name
	Group   Kind = "group"   // ID of a group of users or a role, Text is the name
	All     Kind = "all"     // everybody: Text is "here", "channel" or "everyone"; in a text of ours ID is what its author wrote to alert them, else ""
	Emoji   Kind = "emoji"   // Text is the Unicode emoji, or ":name:" with ID and URL for a custom one
	Pre     Kind = "pre"     // Text; ID is the language, if known
	Quote   Kind = "quote"   // Children, lines and blocks
	List    Kind = "list"    // Children are Items; Level > 0: ordered, from that number
	Item    Kind = "li"      // Children
	Heading Kind = "h"       // Children; Level 1 to 6
)

// Node is one piece of a text.
type Node struct {
	Kind     Kind   `json:"k,omitempty"`
	Text     string `json:"t,omitempty"`
	ID       string `json:"i,omitempty"`
	URL      string `json:"u,omitempty"`
	Level    int    `json:"n,omitempty"`
	Children Text   `json:"c,omitempty"`
}

// FromPlain makes a text of unmarked lines.
func FromPlain(s string) Text {
	var t Text
	for i, line := range strings.Split(s, "\n") {
		if i > 0 {
			t = append(t, Node{Kind: Break})
		}
		if line != "" {
			t = append(t, Node{Text: line})
		}
	}
	return t
}

// String is the text without any markup.
func (t Text) String() string {
	var w lines
	w.plain(t)
	return w.String()
}

// IsEmpty reports whether nothing would be shown.
func (t Text) IsEmpty() bool { return strings.TrimSpace(t.String()) == "" }

// Unasked returns t with what its authors wrote in the place of requests to alert everybody. It changes t.
func (t Text) Unasked() Text {
	t.Walk(func(n *Node) {
		if n.Kind == All && n.ID != "" {
			*n = Node{Text: n.ID}
		}
	})
	return t
}

// Block reports whether nodes of that kind are on lines of their own.
func (k Kind) Block() bool {
	switch k {
	case Pre, Quote, List, Item, Heading:
		return true
	}
	return false
}

// Walk visits every node, parents first; visit may change the node.
func (t Text) Walk(visit func(*Node)) {
	for i := range t {
		visit(&t[i])
		t[i].Children.Walk(visit)
	}
}

// label is a leaf node in words.
func (n Node) label() string {
	switch n.Kind {
	case Mention, All:
		return "@" + strings.TrimPrefix(n.name(), "@")
	case Group:
		return "@" + strings.TrimPrefix(n.name(), "@")
	case Channel:
		return "#" + strings.TrimPrefix(n.name(), "#")
	}
	return n.Text
}

func (n Node) name() string {
	if n.Text != "" {
		return n.Text
	}
	return n.ID
}

// lines builds text line by line, so that blocks begin on a new one.
type lines struct {
	strings.Builder
	open   bool    // the current line is not empty
	ranges *ranges // nil where nobody wants to know what is where
}

func (w *lines) put(s string) {
	if s != "" {
		w.WriteString(s)
		w.open = s[len(s)-1] != '\n'
	}
}

// fresh begins a new line where the current one has something on it.
func (w *lines) fresh() {
	if w.open {
		w.WriteByte('\n')
		w.open = false
	}
}

func (w *lines) plain(t Text) {
	block := false
	for _, n := range t {
		if n.Kind.Block() || block {
			w.fresh()
		}
		block = n.Kind.Block()
		switch n.Kind {
		case Break:
			w.WriteByte('\n')
			w.open = false
		case Link:
			w.plain(n.Children)
			if len(n.Children) == 0 {
				w.put(n.URL)
			}
		case Pre, Code, Plain, Emoji, Mention, Channel, Group, All:
			w.put(n.label())
		default:
			w.plain(n.Children)
		}
	}
}
