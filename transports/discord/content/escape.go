package content

import "strings"

// mayBeMarkup has the first bytes of what Discord would read as markup, as a mention of everybody or as a link within plain text.
var mayBeMarkup = func() (set [256]bool) {
	for _, c := range []byte("\\*_~`|<@]:") {
		set[c] = true
	}
	return set
}()

// escape keeps plain text plain; addresses of the web are left as they are.
func escape(s string) string {
	if !needsEscape(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + len(s)/8)
	for line := range strings.Lines(s) {
		if mark := lineMark(line); mark >= 0 {
			b.WriteString(line[:mark])
			b.WriteByte('\\')
			line = line[mark:]
		}
		escapeLine(&b, line)
	}
	return b.String()
}

// needsEscape reports whether escape may change a text.
func needsEscape(s string) bool {
	begins := true // a line
	for i := range len(s) {
		c := s[i]
		if mayBeMarkup[c] || begins && c != ' ' && lineMark(s[i:]) >= 0 {
			return true
		}
		begins = c == '\n' || begins && c == ' '
	}
	return false
}

func escapeLine(b *strings.Builder, s string) {
	begin := 0
	for i := 0; i < len(s); i++ {
		if !mayBeMarkup[s[i]] {
			continue
		}
		by, size := escapeAt(s[i:])
		if size == 0 {
			continue
		}
		b.WriteString(s[begin:i])
		b.WriteString(by)
		begin = i + size
		i = begin - 1
	}
	b.WriteString(s[begin:])
}

// escapeAt is what is written instead of the first size bytes of a text; size is 0 where they are left as they are.
func escapeAt(s string) (by string, size int) {
	switch s[0] {
	case '\\':
		return `\\`, 1
	case '*':
		return `\*`, 1
	case '_':
		return `\_`, 1
	case '~':
		return `\~`, 1
	case '`':
		return "\\`", 1
	case '|':
		return `\|`, 1
	case '<':
		return `\<`, 1
	case '@':
		if strings.HasPrefix(s[1:], "everyone") || strings.HasPrefix(s[1:], "here") {
			return "@\u200b", 1
		}
	case ']':
		if strings.HasPrefix(s[1:], "(") {
			return `]\(`, 2
		}
	case ':':
		if strings.HasPrefix(s[1:], "//") { // what is a link is none of the text
			return `\://`, 3
		}
	}
	return "", 0
}

// lineMark is where a backslash keeps Discord from reading the beginning of a line as a quotation, a heading, small text or an item of a list:
// before the mark, or before the dot or bracket behind a number, because Discord numbers lists itself; -1 where none is needed.
func lineMark(line string) int {
	i := 0
	for i < len(line) && line[i] == ' ' {
		i++
	}
	rest := line[i:]
	if rest == "" {
		return -1
	}
	switch c := rest[0]; {
	case c == '>' || c == '#':
		return i
	case c == '-' && (strings.HasPrefix(rest[1:], "#") || strings.HasPrefix(rest[1:], " ")), c == '+' && strings.HasPrefix(rest[1:], " "):
		return i
	case c >= '0' && c <= '9':
		for i < len(line) && line[i] >= '0' && line[i] <= '9' {
			i++
		}
		if strings.HasPrefix(line[i:], ". ") || strings.HasPrefix(line[i:], ") ") {
			return i
		}
	}
	return -1
}
