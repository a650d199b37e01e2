package convert

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
)

// Namespaces of files.
const (
	NSFiles    = "urn:xmpp:sfs:0"                      // XEP-0447
	nsMetadata = "urn:xmpp:file:metadata:0"            // XEP-0446
	nsURLData  = "http://jabber.org/protocol/url-data" // XEP-0103
	nsThumbs   = "urn:xmpp:thumbs:1"                   // XEP-0264
	nsSpoiler  = "urn:xmpp:spoiler:0"                  // XEP-0382
)

// maxAlt is the longest description of a file, in bytes.
const maxAlt = 2000

// fileLines are the lines of a text that name files.
func fileLines(files []transports.File, alone bool) string {
	var lines []string
	for i, f := range files {
		if i == MaxFiles {
			lines = append(lines, "… and more files")
			break
		}
		lines = append(lines, fileLine(f, alone && len(files) == 1))
	}
	return strings.Join(lines, "\n")
}

// sharing are the elements that describe the files of a message (XEP-0447 §3.1), whose body is body: clients that know them do not
// show the lines that name the files.
func sharing(body string, files []transports.File, alone bool) (content []*stanza.Element) {
	spoiler := false
	for i, f := range files[:min(len(files), MaxFiles)] {
		spoiler = spoiler || f.Spoiler
		if f.URL == "" || len(f.URL) > MaxURL {
			return nil // the text says what the elements could not
		}
		x := stanza.NewElement(NSFiles, "file-sharing").With("disposition", disposition(f))
		if len(files) > 1 {
			x = x.With("id", strconv.Itoa(i+1)) // XEP-0447 §3.3
		}
		source := stanza.NewElement(nsURLData, "url-data").With("target", f.URL)
		content = append(content, x.Add(metadata(f), stanza.NewElement(NSFiles, "sources").Add(source)))
	}
	if len(content) == 0 {
		return nil
	}
	if spoiler {
		content = append(content, stanza.NewElement(nsSpoiler, "spoiler"))
	}
	lines := fileLines(files, alone)
	start := strings.LastIndex(body, lines)
	if start < 0 || len(files) > MaxFiles {
		return content
	}
	part := stanza.NewElement(NSFallback, "body")
	if start > 0 && body[start-1] == '\n' { // the break before the lines belongs to them
		start--
		lines = "\n" + lines
	}
	if len(lines) < len(body) {
		begin := utf8.RuneCountInString(body[:start])
		part = part.With("start", strconv.Itoa(begin)).With("end", strconv.Itoa(begin+utf8.RuneCountInString(lines)))
	}
	return append(content, stanza.NewElement(NSFallback, "fallback").With("for", NSFiles).Add(part)) // XEP-0447 §3.1, XEP-0428 §3
}

// disposition is whether clients show a file in the message (XEP-0447 §3.1).
func disposition(f transports.File) string {
	kind, _, _ := strings.Cut(f.MIME, "/")
	if kind == "image" || kind == "video" || kind == "audio" {
		return "inline"
	}
	return "attachment"
}

// metadata describes a file (XEP-0446 §2).
func metadata(f transports.File) *stanza.Element {
	x := stanza.NewElement(nsMetadata, "file")
	text := func(name, value string) {
		if value != "" {
			x.Add(stanza.TextElement(nsMetadata, name, value))
		}
	}
	number := func(name string, n int64) {
		if n > 0 {
			text(name, strconv.FormatInt(n, 10))
		}
	}
	text("media-type", Name(f.MIME))
	text("name", FileName(f.Name))
	number("size", f.Size)
	number("width", int64(f.Width))
	number("height", int64(f.Height))
	number("length", int64(f.Duration)*1000)
	text("desc", CutBytes(f.Alt, maxAlt))
	if t := f.Thumb; t != nil && t.URL != "" && len(t.URL) <= MaxURL { // XEP-0264 §2
		small := stanza.NewElement(nsThumbs, "thumbnail").With("uri", t.URL)
		if t.MIME != "" {
			small = small.With("media-type", Name(t.MIME))
		}
		if t.Width > 0 && t.Height > 0 {
			small = small.With("width", strconv.Itoa(t.Width)).With("height", strconv.Itoa(t.Height))
		}
		x.Add(small)
	}
	return x
}

// FileName is the name of a file without what would make it a path, and without characters that cannot be seen, which make one name
// look like another (such as U+202E before "gpj.exe").
func FileName(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '/' || r == '\\':
			return '_'
		case r == utf8.RuneError || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp):
			return -1
		}
		return r
	}, Name(s))
	if strings.Trim(s, ". ") == "" && s != "" {
		return "_"
	}
	return s
}
