package search

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// Limits of a query.
const (
	MaxBytes = 1024
	MaxWords = 32
)

// ErrTooLong is a query with more than MaxBytes or MaxWords.
var ErrTooLong = errors.New("too much is searched for at once")

// Query is what is searched for.
type Query struct{ phrases []phrase }

// phrase is words that follow each other.
type phrase []token

// Parse reads what somebody has typed. A query without a word matches nothing.
func Parse(text string) (Query, error) {
	if len(text) > MaxBytes || !utf8.ValidString(text) {
		return Query{}, ErrTooLong
	}
	var q Query
	words := 0
	for quoted := false; ; quoted = !quoted {
		part, rest, more := strings.Cut(text, `"`)
		words += q.add(part, quoted)
		if text = rest; !more {
			break
		}
	}
	if words > MaxWords {
		return Query{}, ErrTooLong
	}
	return q, nil
}

// add adds the words of a part, as one phrase if it was in quotes, and returns how many they are.
func (q *Query) add(part string, quoted bool) (words int) {
	s := scanner{text: part}
	first := true
	for t, ok := s.next(); ok; t, ok = s.next() {
		n := len(q.phrases)
		if !first && (quoted || t.single && t.adjacent && q.phrases[n-1][len(q.phrases[n-1])-1].single) {
			q.phrases[n-1] = append(q.phrases[n-1], t)
		} else {
			q.phrases = append(q.phrases, phrase{t})
		}
		first = false
		words++
	}
	return words
}

// Empty reports whether there is no word in the query.
func (q Query) Empty() bool { return len(q.phrases) == 0 }

// Terms are the terms that every matching text has, each once.
func (q Query) Terms() []Term {
	var list []Term
	seen := map[Term]bool{}
	add := func(t Term) {
		if !seen[t] {
			seen[t] = true
			list = append(list, t)
		}
	}
	for _, p := range q.phrases {
		for i, t := range p {
			switch {
			case t.single && i+1 < len(p) && p[i+1].single && p[i+1].adjacent:
				add(pair(t.word, p[i+1].word))
			case t.single && i > 0 && t.adjacent && p[i-1].single: // in the pair before
			default:
				add(t.word.Term())
			}
		}
	}
	return list
}

// Match reports whether a text has all that is searched for.
func (q Query) Match(text string) bool {
	_, ok := q.find(tokens(text))
	return ok
}

func tokens(text string) (list []token) {
	s := scanner{text: text}
	for t, ok := s.next(); ok; t, ok = s.next() {
		list = append(list, t)
	}
	return list
}

// find returns the first of the tokens that are searched for, if all are there.
func (q Query) find(list []token) (first int, ok bool) {
	first = len(list)
	for _, p := range q.phrases {
		at := p.find(list)
		if at < 0 {
			return 0, false
		}
		first = min(first, at)
	}
	return first, len(q.phrases) > 0
}

func (p phrase) find(list []token) int {
	for i := 0; i+len(p) <= len(list); i++ {
		same := 0
		for same < len(p) && p.has(same, list[i+same]) {
			same++
		}
		if same == len(p) {
			return i
		}
	}
	return -1
}

// has reports whether a token can be one of the phrase: characters that follow each other there do so in the text.
func (p phrase) has(i int, t token) bool {
	return t.word == p[i].word && (i == 0 || !p[i].adjacent || !p[i].single || !p[i-1].single || t.adjacent)
}
