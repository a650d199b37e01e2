package content

import (
	"strings"

	"github.com/dragoman-im/dragoman/transports/discord/objects"
	"github.com/dragoman-im/dragoman/transports/lenientjson"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// Limits of a message's components: how many are read, and to what depth.
const (
	maxComponents     = 200
	maxComponentDepth = 6
)

// Types of components (docs: Component Reference).
const (
	componentRow       = 1
	componentButton    = 2
	componentText      = 10
	componentThumbnail = 11
	componentGallery   = 12
	componentFile      = 13
	componentSeparator = 14
)

// component is any component.
type component struct {
	Type        int         `json:"type"`
	Content     string      `json:"content"`
	Label       string      `json:"label"`
	Placeholder string      `json:"placeholder"`
	Name        string      `json:"name"`
	Description string      `json:"description"`
	URL         string      `json:"url"`
	Components  []component `json:"components"`
	Accessory   *component  `json:"accessory"`
	Media       mediaItem   `json:"media"`
	File        mediaItem   `json:"file"`
	Divider     *bool       `json:"divider"`
	Items       []struct {
		Media       mediaItem `json:"media"`
		Description string    `json:"description"`
	} `json:"items"`
}

type mediaItem struct {
	URL string `json:"url"`
}

// components returns the texts and the links of a message's components.
func (p *Reader) components(m *objects.Message) richtext.Text {
	var list []component
	if _, err := lenientjson.Unmarshal(m.Components, &list); err != nil {
		return nil
	}
	left := maxComponents
	return p.column(list, maxComponentDepth, &left)
}

// column is what stands one below the other.
func (p *Reader) column(list []component, depth int, left *int) (t richtext.Text) {
	for i := range list {
		if *left--; *left < 0 || depth == 0 {
			return t
		}
		t = AppendLine(t, p.component(&list[i], depth, left))
	}
	return t
}

func (p *Reader) component(c *component, depth int, left *int) (t richtext.Text) {
	switch c.Type {
	case componentRow:
		return p.row(c, depth, left)
	case componentButton:
		if webLink(c.URL) {
			return linked(c.URL, c.Label)
		}
		return inBrackets(c.Label)
	case componentText:
		return p.Parse(c.Content)
	case componentThumbnail:
		return linked(c.Media.URL, c.Description)
	case componentFile:
		if name, ok := strings.CutPrefix(c.File.URL, "attachment://"); ok { // one of the message's files
			return inBrackets("file: " + name)
		}
		return linked(c.File.URL, c.Name)
	case componentSeparator:
		if c.Divider != nil && !*c.Divider {
			return nil
		}
		return richtext.FromPlain(richtext.Rule)
	}
	t = p.Parse(c.Content)
	for i := range c.Items { // of a Media Gallery
		t = AppendLine(t, linked(c.Items[i].Media.URL, c.Items[i].Description))
	}
	t = AppendLine(t, p.column(c.Components, depth-1, left))
	if c.Accessory != nil {
		t = AppendLine(t, p.component(c.Accessory, depth-1, left))
	}
	if t.IsEmpty() {
		return inBrackets(c.Label + c.Placeholder)
	}
	return t
}

// row is what stands side by side.
func (p *Reader) row(c *component, depth int, left *int) (t richtext.Text) {
	for i := range c.Components {
		some := p.column(c.Components[i:i+1], depth-1, left)
		if len(t) > 0 && len(some) > 0 {
			t = append(t, richtext.Node{Text: " "})
		}
		t = append(t, some...)
	}
	return t
}

// linked is a link with a label, which may be empty. A file that is attached to the message has no web address here.
func linked(url, label string) richtext.Text {
	if !webLink(url) {
		return nil
	}
	n := richtext.Node{Kind: richtext.Link, URL: url}
	if label != "" {
		n.Children = richtext.Text{{Text: label}}
	}
	return richtext.Text{n}
}

// inBrackets is something that can be pressed or chosen, which cannot be done from here.
func inBrackets(label string) richtext.Text {
	if label == "" {
		return nil
	}
	return richtext.FromPlain("[" + label + "]")
}
