package richtext

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxNamed is how many names in one text are looked for.
const maxNamed = 40

// Mentions returns a text in which names behind one of several signs, such as "@", are the nodes that find returns for the text behind
// the sign, with how many bytes of it the name takes; 0 leaves the text as it is. Code and links are left alone, and so is a sign within a
// word, as in an e-mail address. It changes t.
func Mentions(t Text, signs string, find func(sign byte, text string) (n Node, size int)) Text {
	f := nameFinder{signs: signs, find: find, left: maxNamed}
	return f.walk(t)
}

type nameFinder struct {
	signs string
	find  func(sign byte, text string) (n Node, size int)
	left  int // names that may still be looked for
}

func (f *nameFinder) walk(t Text) Text {
	var out Text
	for i, n := range t {
		if n.Kind != Link {
			n.Children = f.walk(n.Children)
		}
		if n.Kind != Plain || !strings.ContainsAny(n.Text, f.signs) {
			if out != nil {
				out = append(out, n)
			} else {
				t[i] = n
			}
			continue
		}
		if out == nil {
			out = append(make(Text, 0, len(t)+2), t[:i]...)
		}
		out = append(out, f.names(n.Text)...)
	}
	if out == nil {
		return t
	}
	return out
}

// names divides a plain text at the names in it.
func (f *nameFinder) names(s string) (t Text) {
	begin := 0
	for i := 0; i < len(s) && f.left > 0; {
		at := strings.IndexAny(s[i:], f.signs)
		if at < 0 {
			break
		}
		i += at
		before, _ := utf8.DecodeLastRuneInString(s[:i])
		if i > 0 && (unicode.IsLetter(before) || unicode.IsDigit(before)) {
			i++
			continue
		}
		f.left--
		n, size := f.find(s[i], s[i+1:])
		if size == 0 {
			i++
			continue
		}
		if i > begin {
			t = append(t, Node{Text: s[begin:i]})
		}
		t = append(t, n)
		i += 1 + size
		begin = i
	}
	if begin < len(s) {
		t = append(t, Node{Text: s[begin:]})
	}
	return t
}

// Match finds the longest of several names with which a text begins. A name ends where a word does.
type Match struct {
	text string
	node Node
	size int
	many bool // several have that name
}

// NewMatch begins the search.
func NewMatch(text string) *Match { return &Match{text: text} }

// Try compares one name. The letters of ASCII and others may be written large or small.
func (m *Match) Try(name string, n Node) {
	if len(name) == 0 || len(name) < m.size || len(name) > len(m.text) || !strings.EqualFold(m.text[:len(name)], name) {
		return
	}
	if next, _ := utf8.DecodeRuneInString(m.text[len(name):]); len(m.text) > len(name) && wordRune(next) {
		return
	}
	m.take(len(name), n)
}

// take notes a name that the text begins with.
func (m *Match) take(size int, n Node) {
	switch {
	case size < m.size:
	case size == m.size:
		m.many = m.many || m.node.Kind != n.Kind || m.node.ID != n.ID
	default:
		m.node, m.size, m.many = n, size, false
	}
}

// Found is what has the name, and how long that is; 0 where nothing has it, or several have.
func (m *Match) Found() (n Node, size int) {
	if m.many {
		return Node{}, 0
	}
	return m.node, m.size
}
