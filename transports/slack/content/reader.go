package content

import "encoding/json"

// Reader reads what messages of one workspace say.
type Reader struct {
	Team  string
	Names Names // nil: none are known
	// Unknown is called for a block of a kind that is not known, or with values of other types; nil where nobody wants to know.
	Unknown func(kind string, values []string)
}

// Names has the names of what messages mention by Slack's ids; "" where one is not known.
type Names interface {
	Person(id string) string
	Channel(id string) string
	Group(id string) string
}

// Message is what of a message says something.
type Message struct {
	Text        string
	Blocks      json.RawMessage
	Attachments json.RawMessage
}
