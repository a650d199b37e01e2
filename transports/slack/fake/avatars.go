package fake

import (
	"crypto/sha256"
	"encoding/hex"
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
