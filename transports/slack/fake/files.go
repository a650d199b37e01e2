package fake

import (
	"bytes"
	"crypto/sha256"
	"image"
	_ "image/gif"  // sizes of shared pictures
	_ "image/jpeg" // sizes of shared pictures
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"
)

// File is a file in Slack.
type File struct {
	ID string

	server  *Server
	team    *Workspace
	owner   *User
	install *Install // the app it came from
	name    string
	title   string
	alt     string
	mime    string
	data    []byte
	length  int // announced for the upload
	sum     [sha256.Size]byte
	width   int
	height  int
	created int64
	shares  []*message
	done    bool
	deleted bool
}

// FileSpec is a file that a user shares.
type FileSpec struct {
	Name  string
	Title string // empty: the name
	Alt   string
	Data  []byte
}

func (s *Server) newFile(owner *User, name string) *File {
	f := &File{ID: s.ids.next("F"), server: s, team: owner.team, owner: owner, name: name, title: name, created: s.opt.Now().Unix()}
	s.files[f.ID] = f
	return f
}

// fill puts the bytes in and finds out what they are.
func (f *File) fill(data []byte) {
	f.data = data
	f.mime = mime.TypeByExtension(strings.ToLower(path.Ext(f.name)))
	if f.mime == "" {
		f.mime = http.DetectContentType(data)
	}
	f.mime, _, _ = strings.Cut(f.mime, ";")
	if c, _, err := image.DecodeConfig(bytes.NewReader(data)); err == nil {
		f.width, f.height = c.Width, c.Height
	}
}

func (f *File) fileType() string {
	if t := strings.TrimPrefix(strings.ToLower(path.Ext(f.name)), "."); t != "" {
		return t
	}
	return "binary"
}

// address is where the bytes are; they are served to tokens that may see the file.
func (f *File) address(download bool) string {
	p := f.server.base + "/files-pri/" + f.team.ID + "-" + f.ID + "/"
	if download {
		p += "download/"
	}
	return p + addressName(f.name)
}

// addressName is a file's name as Slack puts it into addresses.
func addressName(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '.', r == '-', r == '_':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '_'
	}, name)
}

// json is the file as messages and files.info show it.
func (f *File) json() map[string]any {
	if f.deleted {
		return map[string]any{"id": f.ID, "mode": "tombstone"}
	}
	kind := f.fileType()
	out := map[string]any{
		"id": f.ID, "created": f.created, "timestamp": f.created, "name": f.name, "title": f.title, "mimetype": f.mime,
		"filetype": kind, "pretty_type": strings.ToUpper(kind), "user": f.owner.ID, "user_team": f.team.ID, "editable": false,
		"size": max(f.length, len(f.data)), "mode": "hosted", "is_external": false, "external_type": "", "is_public": f.isPublic(),
		"public_url_shared": false, "display_as_bot": false, "username": "", "is_starred": false, "has_rich_preview": false,
		"url_private": f.address(false), "url_private_download": f.address(true), "file_access": "visible",
		"permalink":        f.team.url() + "/files/" + f.owner.ID + "/" + f.ID + "/" + addressName(f.name),
		"permalink_public": "https://slack-files.com/" + f.team.ID + "-" + f.ID + "-" + "0000000000",
	}
	if f.alt != "" {
		out["alt_txt"] = f.alt
	}
	if f.width > 0 {
		out["original_w"], out["original_h"] = f.width, f.height
		out["thumb_64"], out["thumb_80"], out["thumb_160"] = f.address(false), f.address(false), f.address(false)
		out["thumb_360"], out["thumb_360_w"], out["thumb_360_h"] = f.address(false), min(f.width, 360), min(f.height, 360)
	}
	return out
}

// stub is what an event shows of a file when Slack keeps the rest for files.info.
func (f *File) stub() map[string]any {
	return map[string]any{"id": f.ID, "created": 0, "timestamp": 0, "user": "", "file_access": "check_file_info", "mode": "file_access"}
}

// full is the file as files.info shows it: with its shares.
func (f *File) full() map[string]any {
	out := f.json()
	lists := map[kind][]any{public: {}, private: {}, im: {}}
	shares := map[string]any{}
	for _, m := range f.shares {
		if m.deleted {
			continue
		}
		ch := m.channel
		group, k := "private", ch.kind
		if k == public {
			group = "public"
		}
		if k == mpim {
			k = private
		}
		if !slices.Contains(lists[k], any(ch.ID)) {
			lists[k] = append(lists[k], ch.ID)
		}
		byChannel, _ := shares[group].(map[string]any)
		if byChannel == nil {
			byChannel = map[string]any{}
			shares[group] = byChannel
		}
		share := map[string]any{"ts": m.ts.String(), "channel_name": ch.name, "team_id": f.team.ID,
			"reply_users": []any{}, "reply_users_count": 0, "reply_count": 0, "share_user_id": f.owner.ID}
		if m.isReply() {
			share["thread_ts"] = m.thread.String()
		}
		list, _ := byChannel[ch.ID].([]any)
		byChannel[ch.ID] = append(list, share)
	}
	out["channels"], out["groups"], out["ims"], out["shares"], out["comments_count"] = lists[public], lists[private], lists[im], shares, 0
	return out
}

// Delete deletes a file as its owner: its messages stay.
func (f *File) Delete() {
	f.server.do(func() {
		was := make([]map[string]any, len(f.shares))
		for i, m := range f.shares {
			was[i] = m.json()
		}
		f.deleted = true
		for i, m := range f.shares {
			m.changed(was[i])
		}
	})
}

func (f *File) isPublic() bool {
	return slices.ContainsFunc(f.shares, func(m *message) bool { return m.channel.kind == public })
}

// seenBy reports whether a user may see the file: its owner, and members of the channels where it was shared.
func (f *File) seenBy(u *User, isBot bool) bool {
	return f.owner == u || slices.ContainsFunc(f.shares, func(m *message) bool {
		return !m.deleted && (m.channel.has(u) || m.channel.kind == public && !isBot)
	})
}

// file is the file that a call names, if the token may see it.
func (c *call) file() (*File, error) {
	f := c.server.files[c.str("file")]
	switch {
	case f == nil || f.team != c.team || !f.done || !f.seenBy(c.user, c.tok.kind == botToken):
		return nil, refuse("file_not_found")
	case f.deleted:
		return nil, refuse("file_deleted")
	}
	return f, nil
}

// filesInfo is files.info.
func (c *call) filesInfo() (map[string]any, error) {
	f, err := c.file()
	if err != nil {
		return nil, err
	}
	return map[string]any{"file": f.full(), "comments": []any{}, "response_metadata": cursor("")}, nil
}
