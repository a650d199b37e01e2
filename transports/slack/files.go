package slack

import (
	"cmp"
	"context"
	"net/url"
	"slices"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/slack/content"
)

// complete asks for the rest of files of which an event shows a stub only. One that this login may not
// see, or whose app may not read files, is only named.
func (s *client) complete(ctx context.Context, list []rawFile) error {
	for i := range list {
		f := &list[i]
		if !f.stub() {
			continue
		}
		var answer struct {
			File rawFile `json:"file"`
		}
		err := s.paced(ctx, "files.info", url.Values{"file": {f.ID}, "count": {"0"}, "page": {"0"}}, &answer)
		switch {
		case err == nil:
			answer.File.ID, answer.File.Access = f.ID, ""
			*f = answer.File
		case transports.ClassOf(err) == transports.Refused:
			f.Name = "a file that Slack does not show"
		default:
			return err
		}
	}
	return nil
}

// deletedFile is the mode of a file that was deleted (docs: File object).
const deletedFile = "tombstone"

// lostFile reports whether a file of a message was deleted.
func (m *rawMessage) lostFile() bool {
	return slices.ContainsFunc(m.Files, func(f rawFile) bool { return f.Mode == deletedFile })
}

// hasOne reports whether a message has one of our files.
func (m *rawMessage) hasOne(list []upload) bool {
	return slices.ContainsFunc(m.Files, func(f rawFile) bool {
		return slices.ContainsFunc(list, func(u upload) bool { return u.ID == f.ID })
	})
}

// hosted reports whether Slack has the content of a file (docs: File object, mode and is_external): others are pages elsewhere, or were
// taken away for the workspace's plan.
func (f *rawFile) hosted() bool {
	return !f.External && f.Mode != "external" && f.Mode != "hidden_by_limit" && (f.Download != "" || f.Private != "")
}

func files(raw []rawFile) []transports.File {
	var list []transports.File
	for _, f := range raw {
		if f.Mode == deletedFile || f.ID == "" {
			continue
		}
		name := content.Unescape(cmp.Or(f.Name, f.Title))
		file := transports.File{
			ID: f.ID, Name: name, MIME: f.Mimetype, Size: f.Size, URL: f.Permalink, Width: f.Width, Height: f.Height,
			Alt: content.Unescape(f.Alt), Duration: int(f.Duration / 1000),
		}
		if f.hosted() {
			file.Ref = f.ID
			if f.Thumb != "" {
				file.Thumb = &transports.Thumb{Ref: f.ID + thumbMark, Width: f.ThumbWidth, Height: f.ThumbHeight}
			}
		}
		list = append(list, file)
	}
	return list
}
