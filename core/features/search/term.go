package search

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// The fields of an entry and of a search (XEP-0055 §5.2).
const fields = 4

var names = [fields]string{"first", "last", "nick", "email"}

// labels are those of XEP-0055 §5.2.
var labels = [fields]string{"Given Name", "Family Name", "Nickname", "Email Address"}

const (
	maxField    = 255 // bytes of a field
	minWildcard = 2   // characters before a *
)

// Term is what a field must match; "" matches every field.
type Term struct {
	Words  string // as key returns them
	Prefix bool   // the last word may go on
}

// values returns the fields of an entry.
func (e Entry) values() [fields]string { return [fields]string{e.First, e.Last, e.Nick, e.EMail} }

// keys returns the fields of an entry as terms are compared with them.
func (e Entry) keys() (all [fields]string) {
	for i, v := range e.values() {
		all[i] = key(v)
	}
	return all
}

// key returns text without regard to case and to the way that its characters are written, its words with one space between them.
func key(text string) string {
	return strings.Join(strings.Fields(norm.NFKC.String(cases.Fold().String(norm.NFKC.String(text)))), " ")
}

// parseTerm reads one value of a search.
func parseTerm(value string) (Term, error) {
	value, err := clean(value)
	if err != nil || value == "" {
		return Term{}, err
	}
	start, prefix := strings.CutSuffix(value, "*")
	t := Term{Words: key(start), Prefix: prefix}
	if prefix && utf8.RuneCountInString(t.Words) < minWildcard {
		return Term{}, stanza.NotAcceptable("give at least two characters before *")
	}
	return t, nil
}

// clean returns a value without space around it, and refuses what no name holds.
func clean(value string) (string, error) {
	value = strings.TrimSpace(value)
	if len(value) > maxField {
		return "", stanza.NotAcceptable("a field is too long")
	}
	if strings.ContainsFunc(value, unicode.IsControl) || !utf8.ValidString(value) {
		return "", stanza.NotAcceptable("a field holds characters that no name has")
	}
	return value, nil
}
