package discord

import (
	"strings"

	"github.com/dragoman-im/dragoman/transports/discord/objects"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// maxEmbeds and maxEmbedFields are how many are read (docs: Embed Limits: 10, and 25 fields).
const (
	maxEmbeds      = 20
	maxEmbedFields = 50
)

// embeds returns the text of a message's embeds. show is false for a message of a person with content: its embeds
// are previews of the links in it. The same holds for an embed that is not "rich" beside content.
func (p *parser) embeds(m *objects.Message, show bool) (t richtext.Text) {
	if !show {
		return nil
	}
	for i := range m.Embeds[:min(len(m.Embeds), maxEmbeds)] {
		if e := &m.Embeds[i]; e.Type == "rich" || e.Type == "" || m.Text() == "" {
			t = appendLine(t, p.embed(e))
		}
	}
	return t
}

func (p *parser) embed(e *objects.Embed) (t richtext.Text) {
	for _, name := range []string{e.Provider.Name, e.Author.Name} {
		if name != "" {
			t = appendLine(t, richtext.FromPlain(name))
		}
	}
	title := p.line(e.Title)
	switch {
	case webLink(e.URL) && (len(title) > 0 || e.Description == ""):
		t = appendLine(t, richtext.Text{{Kind: richtext.Link, URL: e.URL, Children: title}})
	case len(title) > 0:
		t = appendLine(t, richtext.Text{{Kind: richtext.Bold, Children: title}})
	}
	t = appendLine(t, p.parse(e.Description))
	for _, f := range e.Fields[:min(len(e.Fields), maxEmbedFields)] {
		t = appendLine(t, append(richtext.Text{{Kind: richtext.Bold, Children: p.line(f.Name)}, {Text: ": "}}, p.parse(f.Value)...))
	}
	if webLink(e.Image.URL) && e.Image.URL != e.URL {
		t = appendLine(t, richtext.Text{{Kind: richtext.Link, URL: e.Image.URL}})
	}
	if e.Footer.Text != "" {
		t = appendLine(t, richtext.FromPlain(e.Footer.Text))
	}
	for _, media := range []string{e.Video.URL, e.Thumbnail.URL} { // where that is all
		if t.IsEmpty() && webLink(media) {
			t = richtext.Text{{Kind: richtext.Link, URL: media}}
		}
	}
	return t
}

func webLink(url string) bool {
	return strings.HasPrefix(url, "https://") || strings.HasPrefix(url, "http://")
}
