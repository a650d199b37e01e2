// Package avatar makes the avatar that an account has published (XEP-0084) the photo of its vCard, and the photo of a vCard
// that a client stores an avatar (XEP-0398). The hash of the avatar is added to the presence of the account's sessions
// (XEP-0153), also to that for rooms.
//
// An avatar is kept once, in the account's nodes: a vCard gets its photo when somebody reads it who may also read the nodes.
// There is no state.
//
// Specifications: XEP-0084, XEP-0153, XEP-0398.
package avatar
