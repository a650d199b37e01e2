package convert

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

const (
	cutMark       = " … (cut)"
	snippetLength = 160 // characters of a message that are kept to be quoted
)

// CutBytes shortens s to at most n bytes, between two characters.
func CutBytes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// OneLine replaces control characters by blanks.
func OneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}

// Name is a name of the network in one line of bounded length.
func Name(s string) string { return CutBytes(OneLine(s), MaxName) }

// Text is the text of a message in XMPP; each file is a line. It is at most limit bytes without the files.
func Text(t richtext.Text, files []transports.File, limit int) Rendered {
	text, ranges := t.StylingWithRanges()
	if len(text) > limit {
		text = CutBytes(text, limit)
		whole := utf8.RuneCountInString(text)
		ranges = slices.DeleteFunc(ranges, func(p richtext.Range) bool { return p.End > whole })
		text += cutMark
	}
	lines := []string{}
	if text != "" {
		lines = append(lines, text)
	}
	if len(files) > 0 {
		lines = append(lines, fileLines(files, text == ""))
	}
	if len(lines) == 0 {
		return Rendered{Text: "(empty message)"}
	}
	return Rendered{strings.Join(lines, "\n"), ranges}
}

// fileLine is a file in words. Alone it is only its address, which clients show as the file (XEP-0066).
func fileLine(f transports.File, alone bool) string {
	name, url := Name(f.Name), f.URL
	if len(url) > MaxURL {
		url = ""
	}
	switch {
	case url != "" && (alone || name == ""):
		return url
	case url != "":
		return name + ": " + url
	case name != "":
		return fileWord[f.Kind] + ": " + name
	}
	return fileWord[f.Kind]
}

// fileWord is what a file is called that has no address.
var fileWord = map[transports.FileKind]string{
	transports.FileAttachment: "File", transports.FileSticker: "Sticker", transports.FileVoice: "Voice message",
}

// locationLine returns a location as text, with a geo URI (RFC 5870).
func locationLine(l *transports.Location) string {
	line := fmt.Sprintf("geo:%.6f,%.6f", l.Latitude, l.Longitude)
	if name := Name(l.Name); name != "" {
		line = name + ": " + line
	}
	return line
}

// oob repeats a lone file's address for clients that show it as a file (XEP-0066 §3).
func oob(t richtext.Text, files []transports.File) *stanza.Element {
	if len(files) != 1 || files[0].URL == "" || !t.IsEmpty() {
		return nil
	}
	return stanza.NewElement(NSOOB, "x").Add(stanza.TextElement(NSOOB, "url", files[0].URL))
}

// Snippet is the beginning of a text, for quotations.
func Snippet(text string) string {
	n := 0
	for i := range text {
		if n == snippetLength {
			return text[:i] + "…"
		}
		n++
	}
	return text
}

// quote returns the fallback text before a reply (XEP-0461 §3.1), and its length in characters.
func quote(author, text string) (string, int) {
	if text == "" {
		return "", 0
	}
	var b strings.Builder
	if author != "" {
		b.WriteString("> " + OneLine(author) + ":\n")
	}
	for _, line := range strings.Split(text, "\n") {
		b.WriteString("> " + line + "\n")
	}
	return b.String(), utf8.RuneCountInString(b.String())
}
