package content

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

// embeds returns the text of a message's embeds, without the previews of links in its content.
func (p *Reader) embeds(m *objects.Message) (t richtext.Text) {
	for i := range m.Embeds[:min(len(m.Embeds), maxEmbeds)] {
		if e := &m.Embeds[i]; !preview(m, e) {
			t = AppendLine(t, p.embed(e))
		}
	}
	return t
}

// preview reports whether an embed is what Discord has made of a link: any of a person with an address, and of an app those of
// other kinds than it can send.
func preview(m *objects.Message, e *objects.Embed) bool {
	if m.Text() == "" {
		return false
	}
	rich := e.Type == "rich" || e.Type == ""
	return !rich || e.URL != "" && !m.ByBot()
}

func (p *Reader) embed(e *objects.Embed) (t richtext.Text) {
	if e.Provider.Name != "" {
		t = richtext.FromPlain(e.Provider.Name)
	}
	if name := e.Author.Name; name != "" && webLink(e.Author.URL) {
		t = AppendLine(t, linked(e.Author.URL, name))
	} else if name != "" {
		t = AppendLine(t, richtext.FromPlain(name))
	}
	title := p.line(e.Title)
	switch {
	case webLink(e.URL) && (len(title) > 0 || e.Description == ""):
		t = AppendLine(t, richtext.Text{{Kind: richtext.Link, URL: e.URL, Children: title}})
	case len(title) > 0:
		t = AppendLine(t, richtext.Text{{Kind: richtext.Bold, Children: title}})
	}
	t = AppendLine(t, p.Parse(e.Description))
	for _, f := range e.Fields[:min(len(e.Fields), maxEmbedFields)] {
		t = AppendLine(t, append(richtext.Text{{Kind: richtext.Bold, Children: p.line(f.Name)}, {Text: ": "}}, p.Parse(f.Value)...))
	}
	if webLink(e.Image.URL) && e.Image.URL != e.URL {
		t = AppendLine(t, richtext.Text{{Kind: richtext.Link, URL: e.Image.URL}})
	}
	t = AppendLine(t, footer(e))
	for _, media := range []string{e.Video.URL, e.Thumbnail.URL} { // where that is all
		if t.IsEmpty() && webLink(media) {
			t = richtext.Text{{Kind: richtext.Link, URL: media}}
		}
	}
	return t
}

// footer is the last line of an embed, with the time that it is about.
func footer(e *objects.Embed) richtext.Text {
	at := ""
	if e.Timestamp != nil {
		at = e.Timestamp.UTC().Format(clock)
	}
	if e.Footer.Text != "" && at != "" {
		at = " · " + at
	}
	return richtext.FromPlain(e.Footer.Text + at)
}

func webLink(url string) bool {
	return strings.HasPrefix(url, "https://") || strings.HasPrefix(url, "http://")
}
