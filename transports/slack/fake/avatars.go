package fake

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"strings"
	"time"
)

// avatarHash changes whenever the picture does.
func (u *User) avatarHash() string {
	sum := sha256.Sum256(append([]byte(u.ID), u.person.Avatar...))
	return hex.EncodeToString(sum[:6])
}

func (u *User) avatarURL(size string) string {
	return u.server.base + "/avatars/" + u.team.ID + "/" + u.ID + "-" + u.avatarHash() + "-" + size + ".png"
}

// icons are the pictures of a bot.
func (u *User) icons() map[string]any {
	return map[string]any{"image_36": u.avatarURL("36"), "image_48": u.avatarURL("48"), "image_72": u.avatarURL("72")}
}

// serveAvatar answers with the picture of a user, or with a square in a colour of its own. The size is not obeyed.
func (s *Server) serveAvatar(w http.ResponseWriter, r *http.Request) {
	team, file, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/avatars/"), "/")
	id, _, _ := strings.Cut(file, "-")
	s.mu.Lock()
	var data []byte
	for _, t := range s.workspaces {
		if u := t.user(id); t.ID == team && u != nil {
			data = u.person.Avatar
		}
	}
	s.mu.Unlock()
	if data == nil {
		data = square(sha256.Sum256([]byte(r.URL.Path)))
	}
	http.ServeContent(w, r, file, time.Time{}, bytes.NewReader(data))
}

func square(sum [sha256.Size]byte) []byte {
	var b bytes.Buffer
	c := color.RGBA{sum[0]/2 + 64, sum[1]/2 + 64, sum[2]/2 + 64, 255}
	if err := png.Encode(&b, image.NewPaletted(image.Rect(0, 0, 64, 64), color.Palette{c})); err != nil {
		panic(err) // writing to memory does not fail
	}
	return b.Bytes()
}
