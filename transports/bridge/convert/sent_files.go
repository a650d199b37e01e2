package convert

import (
	"encoding/json"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// SentFile is a file that a message from XMPP names by its address.
type SentFile struct {
	URL     string `json:"url"`
	Name    string `json:"name"`
	MIME    string `json:"mime,omitempty"`
	Size    int64  `json:"size,omitempty"` // as the sender says; 0 where it does not
	Alt     string `json:"alt,omitempty"`
	Spoiler bool   `json:"spoiler,omitempty"`
}

// SentFiles are the files of a message from XMPP.
type SentFiles []SentFile

// Kept is what is kept of a message that was sent, for its corrections: a Request in JSON that has only the addresses of the files.
func (s SentFiles) Kept() []byte {
	if len(s) == 0 {
		return nil
	}
	var kept Attached
	for _, f := range s {
		kept.Files = append(kept.Files, SentFile{URL: f.URL})
	}
	data, err := json.Marshal(kept)
	if err != nil {
		return nil // then a correction names the files again
	}
	return data
}

func (s SentFiles) has(address string) bool {
	return slices.ContainsFunc(s, func(f SentFile) bool { return f.URL == address })
}

// CorrectFiles makes a correction one of the text: no network changes the files of a message. Those that the message had stay with it;
// the addresses of others are in the text.
func (r Request) CorrectFiles(had SentFiles) Request {
	for _, f := range r.Files {
		if had.has(f.URL) {
			continue
		}
		if len(r.whole) > 0 {
			r.whole = append(slices.Clip(r.whole), richtext.Node{Kind: richtext.Break})
		}
		r.whole = append(slices.Clip(r.whole), richtext.Node{Kind: richtext.Link, URL: f.URL})
	}
	r.Files = nil
	return r
}

// fileFallbacks are the parts of a body that are meant for clients that show no files.
func (p Parser) fileFallbacks(st *stanza.Stanza, text string) []change {
	if len(sharedFiles(st)) == 0 {
		return nil
	}
	for f := range st.Tree().Named(NSFallback, "fallback") { // XEP-0428 §3: the whole body
		if b := f.Child(NSFallback, "body"); f.Attr("for") == NSFiles && b != nil && b.Attr("start") == "" && b.Attr("end") == "" {
			return []change{{begin: 0, end: utf8.RuneCountInString(text)}}
		}
	}
	return fallbacks(st, NSFiles)
}

// files are the files of a message that the network takes, and the text without their addresses.
func (p Parser) files(st *stanza.Stanza, text string) (rest string, list SentFiles) {
	shared := sharedFiles(st)
	rest = text
	for x := range st.Tree().Named(NSOOB, "x") { // XEP-0066 §3
		if f, ok := sentFile(x.ChildText(NSOOB, "url")); ok && !shared.has(f.URL) {
			shared = append(shared, f)
		}
	}
	most := max(p.Info.Caps.Files.Count, 1)
	for i, f := range shared {
		if i >= most { // its address is in the text
			if !strings.Contains(rest, f.URL) {
				rest = strings.TrimSuffix(rest, "\n") + "\n" + f.URL
			}
			continue
		}
		f.Spoiler = st.Child(nsSpoiler, "spoiler") != nil
		rest = withoutLine(rest, f.URL)
		list = append(list, f)
	}
	return strings.TrimPrefix(rest, "\n"), list
}

// sharedFiles are the files that are described in a message (XEP-0447 §3.1), of which an address is known.
func sharedFiles(st *stanza.Stanza) (list SentFiles) {
	for x := range st.Tree().Named(NSFiles, "file-sharing") {
		sources := x.Child(NSFiles, "sources")
		if sources == nil || len(list) >= MaxFiles {
			continue
		}
		source := sources.Child(nsURLData, "url-data")
		if source == nil {
			continue
		}
		f, ok := sentFile(source.Attr("target"))
		if !ok {
			continue
		}
		if m := x.Child(nsMetadata, "file"); m != nil {
			if name := FileName(m.ChildText(nsMetadata, "name")); name != "" {
				f.Name = name
			}
			f.MIME = Name(m.ChildText(nsMetadata, "media-type"))
			f.Alt = CutBytes(m.ChildText(nsMetadata, "desc"), maxAlt)
			if n, err := strconv.ParseInt(m.ChildText(nsMetadata, "size"), 10, 64); err == nil && n > 0 {
				f.Size = n
			}
		}
		list = append(list, f)
	}
	return list
}

// sentFile is a file of which only the address is known.
func sentFile(address string) (SentFile, bool) {
	u, err := url.Parse(address)
	if err != nil || len(address) > MaxURL || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
		return SentFile{}, false
	}
	name := FileName(path.Base(u.Path))
	if name == "" || name == "_" {
		name = "file"
	}
	return SentFile{URL: address, Name: name}, true
}

// withoutLine is a text without the lines that have nothing but an address.
func withoutLine(text, address string) string {
	lines := strings.Split(text, "\n")
	kept := lines[:0]
	for _, l := range lines {
		if strings.TrimSpace(l) != address {
			kept = append(kept, l)
		}
	}
	return strings.Join(kept, "\n")
}

// Megabytes is a number of bytes as people read it, in MiB from one MiB on.
func Megabytes(n int64) string {
	if n < 1<<20 {
		return strconv.FormatInt(n, 10) + " bytes"
	}
	return strconv.FormatInt(n>>20, 10) + " MiB"
}
