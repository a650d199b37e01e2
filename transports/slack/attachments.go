package slack

import (
	"encoding/json"
	"strings"

	"github.com/dragoman-im/dragoman/transports/lenientjson"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// maxAttachments is how many attachments of a message are read: Slack takes 100.
const maxAttachments = 100

// attachment is what is shown below a message: of an app, a message that is shared, or a link's preview (docs: Secondary
// message attachments).
type attachment struct {
	Fallback string `json:"fallback"`
	Pretext  string `json:"pretext"`
	Author   string `json:"author_name"`
	Text     string `json:"text"`
	Fields   []struct {
		Title string `json:"title"`
		Value string `json:"value"`
	} `json:"fields"`
	Footer string `json:"footer"`
	attachmentLinks
	// Blocks are there in place of the rest.
	Blocks  json.RawMessage `json:"blocks"`
	Message json.RawMessage `json:"message_blocks"` // of a message that is shared
	IsShare bool            `json:"is_share"`
	FromURL string          `json:"from_url"`
}

type attachmentLinks struct {
	Title     string `json:"title"`
	TitleLink string `json:"title_link"`
	ImageURL  string `json:"image_url"`
	ThumbURL  string `json:"thumb_url"`
}

// text is the text of a message: of its blocks where they say something, else its mrkdwn; and of its attachments, without
// the previews of links.
func (s *client) text(m *rawMessage) richtext.Text {
	t := s.blocks(m.Blocks)
	if t.IsEmpty() {
		t = s.parse(m.Text)
	}
	var list []attachment
	if _, err := lenientjson.Unmarshal(m.Attachments, &list); err != nil {
		return t
	}
	own := !t.IsEmpty()
	for i := range list[:min(len(list), maxAttachments)] {
		a := &list[i]
		switch {
		case a.IsShare:
			t = appendLine(t, s.shared(a))
		case a.FromURL == "" || !own: // else it is the preview of a link in the text
			t = appendLine(t, s.attachment(a))
		}
	}
	return t
}

// shared is a message that somebody shares.
func (s *client) shared(a *attachment) richtext.Text {
	quoted := s.attachmentText(a)
	if quoted.IsEmpty() {
		quoted = s.parse(a.Fallback)
	}
	head := "(forwarded)"
	if a.Author != "" {
		head = "(forwarded from " + unescape(a.Author) + ")"
	}
	return richtext.Text{{Text: head}, {Kind: richtext.Quote, Children: quoted}}
}

// attachmentText is what an attachment says itself.
func (s *client) attachmentText(a *attachment) richtext.Text {
	if t := s.blocks(a.Blocks); !t.IsEmpty() {
		return t
	}
	return s.parse(a.Text)
}

func (s *client) attachment(a *attachment) richtext.Text {
	t := s.parse(a.Pretext)
	t = appendLine(t, richtext.FromPlain(strings.TrimSpace(unescape(a.Author))))
	switch {
	case webAddress(a.TitleLink):
		t = appendLine(t, s.linked(a.TitleLink, a.Title))
	case a.Title != "":
		t = appendLine(t, richtext.Text{{Kind: richtext.Bold, Children: s.parse(a.Title)}})
	}
	t = appendLine(t, s.attachmentText(a))
	for _, f := range a.Fields[:min(len(a.Fields), maxBlocks)] {
		var line richtext.Text
		if f.Title != "" {
			line = richtext.Text{{Kind: richtext.Bold, Children: s.parse(f.Title)}, {Text: ": "}}
		}
		t = appendLine(t, append(line, s.parse(f.Value)...))
	}
	for _, url := range []string{a.ImageURL, a.ThumbURL} {
		if webAddress(url) {
			t = appendLine(t, s.linked(url, ""))
		}
	}
	if t.IsEmpty() {
		return s.parse(a.Fallback)
	}
	return appendLine(t, s.parse(a.Footer))
}
