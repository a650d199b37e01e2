package search

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Word is the hash of a word in its folded form (FNV-1a).
type Word uint64

// Term is a word as an index knows it; two words may have the same one.
type Term uint32

// Term returns the word's term.
func (w Word) Term() Term { return Term(w ^ w>>32) }

const (
	hashOffset = 14695981039346656037
	hashPrime  = 1099511628211
)

// pair is the term of two characters of a script without spaces that follow each other.
func pair(a, b Word) Term { return (a*hashPrime ^ b).Term() }

// maxWord is how many bytes of a word are compared.
const maxWord = 64

// token is a word of a text.
type token struct {
	word     Word
	single   bool // one character of a script without spaces
	adjacent bool // directly behind the one before
	from, to int  // where it is in the text, in bytes
}

// scanner splits a text into words.
type scanner struct {
	text string
	at   int

	last int // end of the token before
	// of the token that is being read
	hash  Word
	size  int // in folded bytes
	start int
}

// next returns the next word.
func (s *scanner) next() (t token, ok bool) {
	for s.at < len(s.text) {
		if c := s.text[s.at]; c < utf8.RuneSelf {
			c |= asciiLower[c]
			if asciiWord[c] {
				s.add(c, s.at)
				s.at++
				continue
			}
			if s.size > 0 {
				return s.end(s.at), true
			}
			s.at++
			continue
		}
		r, n := utf8.DecodeRuneInString(s.text[s.at:])
		switch {
		case unicode.Is(unicode.Mn, r): // an accent belongs to the letter before
			s.at += n
		case isSingle(r):
			if s.size > 0 {
				return s.end(s.at), true
			}
			s.fold(r, n)
			s.at += n
			t = s.end(s.at)
			t.single = true
			return t, true
		case unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.Is(unicode.Mc, r):
			s.fold(r, n)
			s.at += n
		default:
			if s.size > 0 {
				return s.end(s.at), true
			}
			s.at += n
		}
	}
	if s.size > 0 {
		return s.end(s.at), true
	}
	return token{}, false
}

func (s *scanner) add(c byte, at int) {
	if s.size == 0 {
		s.hash, s.start = hashOffset, at
	}
	if s.size < maxWord {
		s.hash = (s.hash ^ Word(c)) * hashPrime
	}
	s.size++
}

func (s *scanner) end(at int) token {
	t := token{word: s.hash, adjacent: s.last == s.start && s.start > 0, from: s.start, to: at}
	s.size, s.last = 0, at
	return t
}

// fold adds a character of n bytes without its accents, in lower case and in its plain form (Unicode's NFKD).
func (s *scanner) fold(r rune, n int) {
	decomposed := norm.NFKD.PropertiesString(s.text[s.at : s.at+n]).Decomposition()
	if decomposed == nil {
		s.foldRune(r)
		return
	}
	for len(decomposed) > 0 {
		part, size := utf8.DecodeRune(decomposed)
		decomposed = decomposed[size:]
		if !unicode.Is(unicode.Mn, part) {
			s.foldRune(part)
		}
	}
}

func (s *scanner) foldRune(r rune) {
	r = unicode.ToLower(r)
	if plain, ok := letters[r]; ok {
		for i := range len(plain) {
			s.add(plain[i], s.at)
		}
		return
	}
	var buf [utf8.UTFMax]byte
	for _, c := range buf[:utf8.EncodeRune(buf[:], r)] {
		s.add(c, s.at)
	}
}

// letters are those that Unicode does not decompose although people write them in two ways.
var letters = map[rune]string{
	'ß': "ss", 'æ': "ae", 'œ': "oe", 'ø': "o", 'đ': "d", 'ð': "d", 'þ': "th", 'ł': "l", 'ħ': "h", 'ı': "i", 'ŧ': "t", 'ς': "σ",
}

// isSingle reports whether a character is of a script that is written without spaces.
func isSingle(r rune) bool {
	return r >= 0x0E00 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar) &&
		(unicode.IsLetter(r) || unicode.IsNumber(r))
}

// asciiWord are the characters of words, and asciiLower what makes a capital a small letter.
var asciiWord, asciiLower = func() (word [256]bool, lower [256]byte) {
	for c := range byte(utf8.RuneSelf) {
		word[c] = '0' <= c && c <= '9' || 'a' <= c && c <= 'z'
		if 'A' <= c && c <= 'Z' {
			lower[c] = 'a' - 'A'
		}
	}
	return word, lower
}()

// maxTerms is how many words of one text are indexed.
const maxTerms = 10_000

// AppendTerms appends the terms by which a text is found; some may be there twice.
func AppendTerms(dst []Term, text string) []Term {
	s, first := scanner{text: text}, len(dst)
	var last token
	for t, ok := s.next(); ok && len(dst)-first < maxTerms; t, ok = s.next() {
		dst = append(dst, t.word.Term())
		if t.single && t.adjacent && last.single {
			dst = append(dst, pair(last.word, t.word))
		}
		last = t
	}
	return dst
}
