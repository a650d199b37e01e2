package transports

import (
	"context"
	"io"
	"time"

	"github.com/dragoman-im/dragoman/transports/richtext"
)

// Message is a new message. One whose network shows it in several parts under one id is an event for each
// part, in order, with the same ID and keys of their own.
type Message struct {
	ID       MessageID     `json:"id"`
	Part     PartID        `json:"part,omitempty"`
	Text     richtext.Text `json:"text,omitempty"`
	Files    []File        `json:"files,omitempty"`
	Location *Location     `json:"location,omitempty"`
	ReplyTo  MessageID     `json:"reply_to,omitempty"`
	Thread   MessageID     `json:"thread,omitempty"` // the message that the thread hangs on
	// InRoom is set for a message of a thread that was written to the room too: it is shown there, as an answer.
	InRoom bool `json:"in_room,omitempty"`
	Me     bool `json:"me,omitempty"`
	Notice bool `json:"notice,omitempty"` // by the network: "Ann joined"
	// Edited is when the text was changed the last time, of a past message whose edits are in it already.
	Edited time.Time `json:"edited,omitzero"`
}

// Edit is the new content of a message, or of one of its parts. A part that an edit adds is a
// Message, one that it removes a Delete.
type Edit struct {
	ID    MessageID     `json:"id"`
	Part  PartID        `json:"part,omitempty"`
	Text  richtext.Text `json:"text,omitempty"`
	Files []File        `json:"files,omitempty"`
}

// Delete takes messages away, with all their parts, or one part of one message.
type Delete struct {
	IDs  []MessageID `json:"ids"`
	Part PartID      `json:"part,omitempty"`
	By   UserID      `json:"by,omitempty"` // where it was not their author
}

// Reactions are what the actor added to a message and took from it, the whole sets of several people, or what a moderator
// took from everybody: Unicode emoji, or the network's names in colons.
type Reactions struct {
	ID     MessageID     `json:"id"`
	Add    []string      `json:"add,omitempty"`
	Remove []string      `json:"remove,omitempty"`
	Sets   []ReactionSet `json:"sets,omitempty"`
	// Cleared are the emoji that everybody has lost; ClearedAll means that it is all of them.
	Cleared    []string `json:"cleared,omitempty"`
	ClearedAll bool     `json:"cleared_all,omitempty"`
	// Custom are the pictures of names in colons, by name.
	Custom map[string]Picture `json:"custom,omitempty"`
}

// ReactionSet is all that one person has set on a message; none where the set is empty.
type ReactionSet struct {
	User  UserID   `json:"user"`
	Emoji []string `json:"emoji,omitempty"`
}

// FileKind is how a file is meant to be shown.
type FileKind string

// The kinds of files.
const (
	FileAttachment FileKind = ""
	FileSticker    FileKind = "sticker"
	FileVoice      FileKind = "voice"
)

// File is something attached to a message. Its content is had from URL, by MediaOpener from Ref, or from Content.
type File struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	MIME     string   `json:"mime,omitempty"`
	Kind     FileKind `json:"kind,omitempty"`
	Size     int64    `json:"size,omitempty"` // bytes
	URL      string   `json:"url,omitempty"`  // public or a permanent page; may need a login
	Ref      string   `json:"ref,omitempty"`  // for MediaOpener
	Width    int      `json:"width,omitempty"`
	Height   int      `json:"height,omitempty"`
	Alt      string   `json:"alt,omitempty"`
	Duration int      `json:"duration,omitempty"` // seconds
	// Spoiler is set where the network shows the file only to those who ask for it.
	Spoiler bool   `json:"spoiler,omitempty"`
	Thumb   *Thumb `json:"thumb,omitempty"`
	// Content is for a network that has the content only now. It can be opened until Deliver
	// returns, or the function given to Post is called.
	Content func(ctx context.Context) (io.ReadCloser, error) `json:"-"`
}

// Thumb is a small picture that stands for a file.
type Thumb struct {
	Ref    string `json:"ref,omitempty"` // for MediaOpener
	URL    string `json:"url,omitempty"` // public
	MIME   string `json:"mime,omitempty"`
	Width  int    `json:"width,omitempty"`
	Height int    `json:"height,omitempty"`
}

// Location is a place on earth (WGS 84, degrees).
type Location struct {
	Latitude  float64 `json:"lat"`
	Longitude float64 `json:"lon"`
	Name      string  `json:"name,omitempty"`
}

// Poll is a poll that began, was changed or has ended. It is a message for replies, reactions and deletion.
type Poll struct {
	ID       MessageID    `json:"id"`
	Question string       `json:"question"`
	Options  []PollOption `json:"options"`
	Most     int          `json:"most,omitempty"` // options that one person may choose; 0 is any number
	Ends     time.Time    `json:"ends,omitzero"`
	Ended    bool         `json:"ended,omitempty"`
}

// PollOption is what can be chosen.
type PollOption struct {
	ID    string `json:"id"`
	Text  string `json:"text"`
	Votes int    `json:"votes,omitempty"`
}

// PollVote is all that the actor has chosen in a poll.
type PollVote struct {
	ID      MessageID `json:"id"`
	Options []string  `json:"options"` // PollOption.ID
}
