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

// serveAvatar serves pictures of people, and a coloured square for who has none. As with
// Slack, no token is needed.
func (s *Server) serveAvatar(w http.ResponseWriter, r *http.Request) {
	team, file, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/avatars/"), "/")
	id, _, _ := strings.Cut(file, "-")
	s.mu.Lock()
	ws := s.workspace(team)
	var data []byte
	known := ws != nil && strings.HasPrefix(file, "team_")
	if ws != nil {
		if u := ws.user(id); u != nil {
			known, data = true, u.person.Avatar
		}
	}
	s.mu.Unlock()
	if !known {
		http.NotFound(w, r)
		return
	}
	if data == nil {
		data = square(team + id)
	}
	w.Header().Set("Content-Type", http.DetectContentType(data))
	_, _ = w.Write(data)
}

// square is a small picture whose colour is the seed's.
func square(seed string) []byte {
	sum := sha256.Sum256([]byte(seed))
	p := image.NewPaletted(image.Rect(0, 0, 72, 72), color.Palette{color.RGBA{sum[0], sum[1], sum[2], 255}})
	var b bytes.Buffer
	_ = png.Encode(&b, p) // into memory, of a valid image
	return b.Bytes()
}

func (s *Server) workspace(id string) *Workspace {
	for _, w := range s.workspaces {
		if w.ID == id {
			return w
		}
	}
	return nil
}
