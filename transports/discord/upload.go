package discord

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/discord/rest"
)

// What Discord takes of files (docs: Uploading Files): where a server is not boosted.
const (
	maxFileSize = 10 << 20
	maxFiles    = 10
	maxAlt      = 1024 // characters (docs: Attachment Object, description)
)

// attachment describes a file of a request.
type attachment struct {
	ID          string `json:"id"` // its number in the request
	Name        string `json:"filename"`
	Description string `json:"description,omitempty"`
}

// withFiles adds the files of a message to the request for its first part.
func (s *client) withFiles(r rest.Request, body map[string]any, part int, m transports.Outgoing) rest.Request {
	if part > 0 || len(m.Files) == 0 {
		return r
	}
	var described []attachment
	for i, f := range m.Files {
		name := f.Name
		if f.Spoiler {
			name = spoilerMark + name
		}
		alt := []rune(f.Alt)
		described = append(described, attachment{strconv.Itoa(i), name, string(alt[:min(len(alt), maxAlt)])})
		r.Files = append(r.Files, rest.File{Name: name, MIME: f.MIME, Size: f.Size, Open: f.Open})
	}
	body["attachments"] = described
	r.HTTP = s.n.media
	return r
}

// fileFault marks the error of a request that was refused because of its files: too large as a whole, or not readable.
func fileFault(r rest.Request, err error) error {
	if err == nil || len(r.Files) == 0 {
		return err
	}
	var e *rest.Error
	tooLarge := errors.As(err, &e) && (e.Code == codeTooLarge || e.Status == http.StatusRequestEntityTooLarge)
	if !tooLarge && !errors.Is(err, rest.ErrFileRead) {
		return err
	}
	text := "a file could not be read"
	if tooLarge {
		text = "Discord does not take files of this size"
	}
	return transports.Refuse("not-acceptable", text, errors.Join(transports.ErrFile, err))
}

// codeTooLarge is Discord's for a request that is too large (docs: JSON Error Codes).
const codeTooLarge = 40005
