package extdisco

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"strconv"
	"time"
)

// temporary returns credentials that a TURN server with the same secret accepts until they expire
// (draft-uberti-behave-turn-rest-00 §2.2): the user name contains the time of expiry, and the password is
// its HMAC.
func temporary(secret, user string, expires time.Time) (username, password string) {
	username = strconv.FormatInt(expires.Unix(), 10) + ":" + user
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(username))
	return username, base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
