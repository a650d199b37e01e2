package discord

import (
	"encoding/json"

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
	Items       []struct {
		Media       mediaItem `json:"media"`
		Description string    `json:"description"`
	} `json:"items"`
}

type mediaItem struct {
	URL string `json:"url"`
}

// components returns the texts and the links of a message's components.
func (p *parser) components(raw json.RawMessage) richtext.Text {
	var list []component
	if _, err := lenientjson.Unmarshal(raw, &list); err != nil {
		return nil
	}
	left := maxComponents
	return p.column(list, maxComponentDepth, &left)
}

// column is what stands one below the other.
func (p *parser) column(list []component, depth int, left *int) (t richtext.Text) {
	for i := range list {
		if *left--; *left < 0 || depth == 0 {
			return t
		}
		t = appendLine(t, p.component(&list[i], depth, left))
	}
	return t
}

func (p *parser) component(c *component, depth int, left *int) (t richtext.Text) {
	switch c.Type {
	case componentRow:
		for i := range c.Components {
			some := p.column(c.Components[i:i+1], depth-1, left)
			if len(t) > 0 && len(some) > 0 {
				t = append(t, richtext.Node{Text: " "})
			}
			t = append(t, some...)
		}
		return t
	case componentButton:
		if webLink(c.URL) {
			return linked(c.URL, c.Label)
		}
		return inBrackets(c.Label)
	case componentText:
		return p.parse(c.Content)
	case componentThumbnail:
		return linked(c.Media.URL, c.Description)
	case componentFile:
		return linked(c.File.URL, c.Name)
	}
	t = p.parse(c.Content)
	for i := range c.Items { // of a Media Gallery
		t = appendLine(t, linked(c.Items[i].Media.URL, c.Items[i].Description))
	}
	t = appendLine(t, p.column(c.Components, depth-1, left))
	if c.Accessory != nil {
		t = appendLine(t, p.component(c.Accessory, depth-1, left))
	}
	if t.IsEmpty() {
		return inBrackets(c.Label + c.Placeholder)
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
