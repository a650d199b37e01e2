package richtext

import (
	"unicode"
	"unicode/utf8"
)

// maxIndexed is the longest name that is found in texts, in bytes: Slack's have 80 characters, Discord's 32.
const maxIndexed = 320

// Names finds who or what is called by the words with which a text begins. The time that it takes depends on the length of a name, not on
// how many there are. Names of several words and several owners of one name are allowed. The zero value has no names.
type Names struct {
	by map[string]owners // by the folded name
}

// owners are the ids of those who have one name. Nearly always it is one.
type owners struct {
	id     string
	others map[string]bool // besides id; nil where nobody else has the name
}

// Put adds a name of an id.
func (n *Names) Put(name, id string) {
	key, ok := foldedName(name)
	if !ok {
		return
	}
	if n.by == nil {
		n.by = map[string]owners{}
	}
	o, known := n.by[key]
	switch {
	case !known:
		o.id = id
	case o.id == id:
		return
	default:
		if o.others == nil {
			o.others = map[string]bool{}
		}
		o.others[id] = true
	}
	n.by[key] = o
}

// Remove takes a name away from an id.
func (n *Names) Remove(name, id string) {
	key, ok := foldedName(name)
	if !ok {
		return
	}
	o, known := n.by[key]
	switch {
	case !known:
		return
	case o.id != id:
		delete(o.others, id)
	case len(o.others) == 0:
		delete(n.by, key)
		return
	default:
		for other := range o.others {
			o.id = other
			break
		}
		delete(o.others, o.id)
	}
	if len(o.others) == 0 {
		o.others = nil
	}
	n.by[key] = o
}

// Empty reports whether there are no names.
func (n *Names) Empty() bool { return len(n.by) == 0 }

// Try has m compare all names with which its text begins, of those ids that accept lets pass; a nil accept lets all pass. node is what
// such a name is.
func (n *Names) Try(m *Match, accept func(id string) bool, node func(id string) Node) {
	if len(n.by) == 0 {
		return
	}
	var buffer [maxIndexed]byte
	key := buffer[:0]
	for at, r := range m.text {
		if len(key) > 0 && !wordRune(r) {
			n.tryOne(m, key, at, accept, node)
		}
		if key = utf8.AppendRune(key, fold(r)); len(key) > maxIndexed || at > maxIndexed {
			return
		}
	}
	n.tryOne(m, key, len(m.text), accept, node)
}

// tryOne compares the names that are the first size bytes of the text.
func (n *Names) tryOne(m *Match, key []byte, size int, accept func(id string) bool, node func(id string) Node) {
	o, ok := n.by[string(key)]
	if !ok {
		return
	}
	if accept == nil || accept(o.id) {
		m.take(size, node(o.id))
	}
	for id := range o.others {
		if m.many && m.size == size {
			return
		}
		if accept == nil || accept(id) {
			m.take(size, node(id))
		}
	}
}

// foldedName is a name in the form in which large and small letters are the same; ok is false where no text is searched for it.
func foldedName(name string) (key string, ok bool) {
	if name == "" || len(name) > maxIndexed {
		return "", false
	}
	for i, r := range name {
		if f := fold(r); f != r {
			b := append(make([]byte, 0, len(name)), name[:i]...)
			for _, r := range name[i:] {
				b = utf8.AppendRune(b, fold(r))
			}
			return string(b), len(b) <= maxIndexed
		}
	}
	return name, true
}

// fold is one of the characters that are the same as r but for being large or small: of ASCII the small letter.
func fold(r rune) rune {
	if r < utf8.RuneSelf {
		if r >= 'A' && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}
	least := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	if least >= 'A' && least <= 'Z' { // the sign of the kelvin
		least += 'a' - 'A'
	}
	return least
}

// wordRune reports whether a name goes on with a character.
func wordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' }
