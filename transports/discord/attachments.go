package discord

import (
	"strings"

	"github.com/bwmarrin/discordgo"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/discord/objects"
)

// flagVoice marks a message whose file was spoken into it (docs: Message Flags).
const flagVoice = int(discordgo.MessageFlagsIsVoiceMessage)

// maxDuration is the longest duration of a file that is believed, in seconds.
const maxDuration = 7 * 24 * 60 * 60

// spoilerMark begins the names of files that are shown only to those who ask for them; flagSpoiler marks them too (docs: Attachment Flags).
const (
	spoilerMark = "SPOILER_"
	flagSpoiler = 1 << 3
)

// thumbMark ends the reference of a file's small picture.
const thumbMark = "/thumb"

// maxThumb is the longer side of a small picture, in pixels.
const maxThumb = 360

// thumbSize is the size of the small picture of a large one; zero where none is needed.
func thumbSize(width, height int) (w, h int) {
	longer := max(width, height)
	if longer <= maxThumb || min(width, height) <= 0 {
		return 0, 0
	}
	return max(width*maxThumb/longer, 1), max(height*maxThumb/longer, 1)
}

// files returns the attachments of a message and of the messages that it forwards. An attachment's URL is valid for a
// day (docs: Signed Attachment CDN URLs), its Ref for as long as the message exists.
func files(m *objects.Message) []transports.File {
	kind := transports.FileAttachment
	if m.Flags&flagVoice != 0 {
		kind = transports.FileVoice
	}
	var list []transports.File
	for _, a := range attachments(m) {
		if a.ID == "" && a.URL == "" {
			continue
		}
		name := a.Name
		if a.Title != "" && !strings.Contains(a.Title, ".") { // the title is the name without its extension, before Discord replaced characters in it
			name = a.Title + extension(a.Name)
		}
		bare, spoiler := strings.CutPrefix(name, spoilerMark)
		if bare == "" {
			bare = name
		}
		file := transports.File{
			ID: a.ID, Name: bare, MIME: a.MIME, Size: a.Size, URL: a.URL, Ref: m.ChannelID + "/" + m.ID + "/" + a.ID,
			Width: a.Width, Height: a.Height, Alt: a.Alt, Duration: int(min(max(a.Duration, 0), maxDuration)), Kind: kind,
			Spoiler: spoiler || a.Flags&flagSpoiler != 0,
		}
		if w, h := thumbSize(a.Width, a.Height); w > 0 && a.Proxy != "" {
			file.Thumb = &transports.Thumb{Ref: file.Ref + thumbMark, MIME: "image/webp", Width: w, Height: h}
		}
		list = append(list, file)
	}
	return list
}

// attachments are those of a message and of the messages that it forwards.
func attachments(m *objects.Message) []objects.Attachment {
	list := m.Attachments
	for _, snapshot := range m.Snapshots {
		if snapshot.Message != nil {
			list = append(list[:len(list):len(list)], snapshot.Message.Attachments...)
		}
	}
	return list
}

func extension(name string) string {
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		return name[i:]
	}
	return ""
}
