package content

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
	Message []sharedMessage `json:"message_blocks"`
	IsShare bool            `json:"is_share"`
	FromURL string          `json:"from_url"`
	Actions []block         `json:"actions"`
}

// attachmentLinks are what an attachment leads to, and who made it.
type attachmentLinks struct {
	Title      string  `json:"title"`
	TitleLink  string  `json:"title_link"`
	ImageURL   string  `json:"image_url"`
	ThumbURL   string  `json:"thumb_url"`
	AuthorLink string  `json:"author_link"`
	AuthorName string  `json:"author_subname"`
	Service    string  `json:"service_name"`
	Stamp      rawJSON `json:"ts"` // a number, or a text
}

// sharedMessage is a message that is shared.
type sharedMessage struct {
	Message struct {
		Blocks json.RawMessage `json:"blocks"`
	} `json:"message"`
}

// Text is the text of a message: of its blocks where they say something, else its mrkdwn; and of its attachments, without
// the previews of links.
func (r *Reader) Text(m Message) richtext.Text {
	t := r.blocks(m.Blocks)
	if t.IsEmpty() {
		t = r.Parse(m.Text)
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
			t = appendLine(t, r.shared(a))
		case a.FromURL == "" || !own: // else it is the preview of a link in the text
			t = appendLine(t, r.attachment(a))
		}
	}
	return t
}

// shared is a message that somebody shares.
func (r *Reader) shared(a *attachment) richtext.Text {
	quoted := r.attachmentText(a)
	if quoted.IsEmpty() {
		quoted = r.Parse(a.Fallback)
	}
	head := "(forwarded)"
	if a.Author != "" {
		head = "(forwarded from " + Unescape(a.Author) + ")"
	}
	return richtext.Text{{Text: head}, {Kind: richtext.Quote, Children: quoted}}
}

// attachmentText is what an attachment says itself.
func (r *Reader) attachmentText(a *attachment) richtext.Text {
	if t := r.blocks(a.Blocks); !t.IsEmpty() {
		return t
	}
	var t richtext.Text
	for _, m := range a.Message[:min(len(a.Message), maxBlocks)] {
		t = appendLine(t, r.blocks(m.Message.Blocks))
	}
	if t.IsEmpty() {
		return r.Parse(a.Text)
	}
	return t
}

func (r *Reader) attachment(a *attachment) richtext.Text {
	t := r.Parse(a.Pretext)
	t = appendLine(t, r.attachmentAuthor(a))
	switch {
	case webAddress(a.TitleLink):
		t = appendLine(t, r.linked(a.TitleLink, a.Title))
	case a.Title != "":
		t = appendLine(t, richtext.Text{{Kind: richtext.Bold, Children: r.Parse(a.Title)}})
	}
	t = appendLine(t, r.attachmentText(a))
	for _, f := range a.Fields[:min(len(a.Fields), maxBlocks)] {
		var line richtext.Text
		if f.Title != "" {
			line = richtext.Text{{Kind: richtext.Bold, Children: r.Parse(f.Title)}, {Text: ": "}}
		}
		t = appendLine(t, append(line, r.Parse(f.Value)...))
	}
	for _, url := range []string{a.ImageURL, a.ThumbURL} {
		if webAddress(url) {
			t = appendLine(t, r.linked(url, ""))
		}
	}
	t = appendLine(t, r.inOneLine(a.Actions, maxBlockDepth))
	if t.IsEmpty() {
		return r.Parse(a.Fallback)
	}
	footer := r.Parse(a.Footer)
	if at := StampTime(strings.Trim(string(a.Stamp), `"`)); len(footer) > 0 && !at.IsZero() {
		footer = append(footer, richtext.Node{Text: " · " + at.UTC().Format(clock)})
	}
	return appendLine(t, footer)
}

// attachmentAuthor is who made what is attached.
func (r *Reader) attachmentAuthor(a *attachment) richtext.Text {
	name := strings.TrimSpace(Unescape(strings.TrimSpace(a.Author + " " + a.AuthorName)))
	if name == "" {
		name = Unescape(a.Service)
	}
	if webAddress(a.AuthorLink) && name != "" {
		return r.linked(a.AuthorLink, name)
	}
	return richtext.FromPlain(Emojis(name))
}
