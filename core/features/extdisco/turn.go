package extdisco

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"strconv"
	"time"
)

// temporary are credentials that a TURN server with the same secret takes until they expire
// (draft-uberti-behave-turn-rest-00 §2.2): the time is part of the user name, and the password is
// the HMAC of that.
func temporary(secret, user string, expires time.Time) (username, password string) {
	username = strconv.FormatInt(expires.Unix(), 10) + ":" + user
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(username))
	return username, base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
