package bridge

import (
	"strings"
	"unicode/utf8"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

const (
	cutMark    = " … (cut)"
	snippetLen = 160 // characters of a message that are kept to be quoted
)

// cutBytes shortens s to at most n bytes, between two characters.
func cutBytes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// bodyOf is a message's text for XMPP; files are lines of their own.
func (g *Gateway) bodyOf(t richtext.Text, files []transports.File, me bool) string {
	text := t.Styling()
	if len(text) > g.set.Text {
		text = cutBytes(text, g.set.Text) + cutMark
	}
	lines := []string{}
	if text != "" {
		lines = append(lines, text)
	}
	for i, f := range files {
		if i == maxFiles {
			lines = append(lines, "… and more files")
			break
		}
		lines = append(lines, fileLine(f, len(files) == 1 && text == ""))
	}
	body := strings.Join(lines, "\n")
	if me {
		body = "/me " + body // XEP-0245
	}
	return body
}

// fileLine is a file in words. Alone it is just its address, which clients show as the file (XEP-0066).
func fileLine(f transports.File, alone bool) string {
	name, url := cutBytes(oneLine(f.Name), maxName), f.URL
	if len(url) > 4096 {
		url = ""
	}
	switch {
	case url != "" && (alone || name == ""):
		return url
	case url != "":
		return name + ": " + url
	case name != "":
		return "File: " + name
	}
	return "File"
}

func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}

// oob names a lone file's address once more for clients that show it (XEP-0066 §3).
func oob(t richtext.Text, files []transports.File) *stanza.Element {
	if len(files) != 1 || files[0].URL == "" || !t.IsEmpty() {
		return nil
	}
	return stanza.NewElement(nsOOB, "x").Add(stanza.TextElement(nsOOB, "url", files[0].URL))
}

// snippet is how a body begins, for quotations.
func snippet(body string) string {
	n := 0
	for i := range body {
		if n == snippetLen {
			return body[:i] + "…"
		}
		n++
	}
	return body
}

// quote is the fallback that stands before a reply (XEP-0461 §3.1), with its length in characters.
func quote(who, text string) (string, int) {
	if text == "" {
		return "", 0
	}
	var b strings.Builder
	if who != "" {
		b.WriteString("> " + oneLine(who) + ":\n")
	}
	for _, line := range strings.Split(text, "\n") {
		b.WriteString("> " + line + "\n")
	}
	return b.String(), utf8.RuneCountInString(b.String())
}

// body is a text element of a message.
func body(text string) *stanza.Element { return stanza.TextElement("", "body", text) }

// fallbackFor marks the whole body as a stand-in for clients that do not know ns (XEP-0428).
func fallbackFor(ns string) *stanza.Element {
	return stanza.NewElement(nsFallback, "fallback").With("for", ns).Add(stanza.NewElement(nsFallback, "body"))
}

// hint asks archives to keep a message that has no body (XEP-0334).
func hint(name string) *stanza.Element { return stanza.NewElement(nsHints, name) }

// cutRunes takes the characters from start to end out of s; indices are of code points
// (XEP-0428 §3.1), and what does not fit is no range.
func cutRunes(s string, start, end int) string {
	runes := []rune(s)
	if start < 0 || end > len(runes) || start >= end {
		return s
	}
	return string(append(runes[:start:start], runes[end:]...))
}
