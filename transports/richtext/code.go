package richtext

import "strings"

// fenceMark begins a line that opens a block of code, and is the line that closes it (XEP-0393 §5.1.2).
const fenceMark = "```"

// fence reads a block of code that is opened in line i, and returns the line behind it. Besides the form of
// XEP-0393, in which the marks are on lines of their own, it reads those of people who type code as they do elsewhere: in the
// line of the mark, with text behind the end, or without an end. A block without code is text.
func (p *blockParser) fence(i int) int {
	first := strings.TrimLeft(p.lines[i], "`")
	if code, behind, closed := cutTicks(first, fenceMark); closed && strings.TrimSpace(code) != "" {
		p.block(Node{Kind: Pre, Text: strings.TrimSpace(code)})
		p.behind(behind)
		return i + 1
	}
	end, behind := p.closing(i+1), ""
	last := end + 1 // the line behind the block
	body := p.lines[i+1 : min(end, len(p.lines))]
	if end == len(p.lines) { // no line closes it: perhaps a mark within one does
		for k, line := range body {
			code, rest, closed := strings.Cut(line, fenceMark)
			if closed {
				body = append(append([]string{}, body[:k]...), code)
				behind, last = rest, i+1+k+1
				break
			}
		}
	}
	n := codeBlock(first, strings.Join(body, "\n"))
	if n.Text == "" {
		for _, line := range p.lines[i:min(last, len(p.lines))] {
			p.newLine()
			p.text = append(p.text, Node{Text: line})
		}
		return last
	}
	p.block(n)
	p.behind(strings.TrimLeft(behind, "`"))
	return last
}

// behind adds what stands behind the end of a block in the same line.
func (p *blockParser) behind(s string) {
	if s = strings.TrimSpace(s); s != "" {
		p.spans(s)
	}
}

// codeBlock is a block of code with what stands behind its opening mark: the language, or code like the lines below.
func codeBlock(first, body string) Node {
	info := strings.TrimSpace(first)
	switch {
	case info == "" && strings.TrimSpace(body) == "":
		return Node{}
	case info == "":
		return Node{Kind: Pre, Text: body}
	case strings.TrimSpace(body) == "":
		return Node{Kind: Pre, Text: info}
	case IsLanguage(info):
		return Node{Kind: Pre, ID: info, Text: body}
	}
	return Node{Kind: Pre, Text: strings.TrimRight(first, " \t\r") + "\n" + body}
}

// maxLanguage is the longest name of a language in bytes.
const maxLanguage = 30

// IsLanguage reports whether what stands behind the mark of a block of code can be the name of a language.
func IsLanguage(s string) bool {
	if s == "" || len(s) > maxLanguage {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("+#_.-", c) >= 0) {
			return false
		}
	}
	return true
}

// closing is the first line from i on that closes a block of code, or the number of lines where none does.
func (p *blockParser) closing(i int) int {
	if p.fences == nil {
		p.fences = make([]int, len(p.lines)+1)
		p.fences[len(p.lines)] = len(p.lines)
		for k := len(p.lines) - 1; k >= 0; k-- {
			if p.fences[k] = p.fences[k+1]; closes(p.lines[k]) {
				p.fences[k] = k
			}
		}
	}
	return p.fences[i]
}

func closes(line string) bool {
	line = strings.TrimRight(line, " \t\r")
	return strings.HasPrefix(line, fenceMark) && strings.Trim(line, "`") == ""
}

// cutTicks cuts a text around the first of the given marks, and takes the rest of a longer run of backticks with it.
func cutTicks(s, mark string) (before, after string, found bool) {
	before, after, found = strings.Cut(s, mark)
	return before, strings.TrimLeft(after, "`"), found
}
