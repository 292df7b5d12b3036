package libsecret

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"math/big"

	"github.com/godbus/dbus/v5"

	"github.com/msalext/msalext/extensions/backend"
)

// algorithm is the one of the specification that encrypts: Diffie-Hellman in
// the group below, HKDF with SHA-256, AES-128 in CBC mode with PKCS #7
// padding.
const algorithm = "dh-ietf1024-sha256-aes128-cbc-pkcs7"

// prime is the second Oakley group (RFC 2409, section 6.2). Its generator is 2.
var prime, _ = new(big.Int).SetString(""+
	"FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74"+
	"020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F1437"+
	"4FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"+
	"EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE65381FFFFFFFFFFFFFFFF", 16)

// secret is the specification's Secret (oayays).
type secret struct {
	Session     dbus.ObjectPath
	Parameters  []byte // the initialisation vector
	Value       []byte
	ContentType string
}

// received reads a Secret as godbus decodes it: where textual changed it, with a
// string and a number for the value.
func received(body []any) (sealed secret, ok bool) {
	if len(body) != 1 {
		return secret{}, false
	}
	fields, _ := body[0].([]any)
	if len(fields) == 5 {
		text, isText := fields[2].(string)
		if _, isNumber := fields[3].(uint32); !isText || !isNumber {
			return secret{}, false
		}
		fields = []any{fields[0], fields[1], []byte(text), fields[4]}
	}
	if len(fields) != 4 {
		return secret{}, false
	}
	var are [4]bool
	sealed.Session, are[0] = fields[0].(dbus.ObjectPath)
	sealed.Parameters, are[1] = fields[1].([]byte)
	sealed.Value, are[2] = fields[2].([]byte)
	sealed.ContentType, are[3] = fields[3].(string)
	return sealed, are == [4]bool{true, true, true, true}
}

// contentType is the only one that libsecret gives to programs that ask for a
// password, with nothing behind it.
const contentType = "text/plain"

// exchange is our half of the key agreement.
type exchange struct{ private, public *big.Int }

func newExchange() (exchange, error) {
	private, err := rand.Int(rand.Reader, prime)
	return exchange{private, new(big.Int).Exp(big.NewInt(2), private, prime)}, err
}

// key derives what both sides share.
func (e exchange) key(theirs []byte) ([]byte, error) {
	y, last := new(big.Int).SetBytes(theirs), new(big.Int).Sub(prime, big.NewInt(1))
	if y.Cmp(big.NewInt(1)) <= 0 || y.Cmp(last) >= 0 { // anybody could know the result
		return nil, unencrypted(errors.New("the Secret Service sent no valid public key"))
	}
	shared := new(big.Int).Exp(y, e.private, prime).FillBytes(make([]byte, (prime.BitLen()+7)/8))
	return hkdf.Key(sha256.New, shared, nil, "", aes.BlockSize)
}

// session is an agreed key and the name that the service has for it.
type session struct {
	path dbus.ObjectPath
	key  []byte
}

func (s session) seal(data []byte) (secret, error) {
	block, err := aes.NewCipher(s.key)
	if err != nil {
		return secret{}, err
	}
	iv := make([]byte, aes.BlockSize)
	if _, err := rand.Read(iv); err != nil {
		return secret{}, err
	}
	padding := aes.BlockSize - len(data)%aes.BlockSize
	padded := make([]byte, 0, len(data)+padding)
	padded = append(append(padded, data...), bytes.Repeat([]byte{byte(padding)}, padding)...)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(padded, padded)
	return secret{Session: s.path, Parameters: iv, Value: padded, ContentType: contentType}, nil
}

func (s session) open(sealed secret) ([]byte, error) {
	block, err := aes.NewCipher(s.key)
	if err != nil {
		return nil, err
	}
	n := len(sealed.Value)
	if len(sealed.Parameters) != aes.BlockSize || n == 0 || n%aes.BlockSize != 0 {
		return nil, errUnsealed
	}
	data := make([]byte, n)
	cipher.NewCBCDecrypter(block, sealed.Parameters).CryptBlocks(data, sealed.Value)
	padding := int(data[n-1])
	if padding == 0 || padding > aes.BlockSize || !bytes.Equal(data[n-padding:], bytes.Repeat(data[n-1:], padding)) {
		return nil, errUnsealed
	}
	return data[:n-padding], nil
}

var errUnsealed = &backend.Error{
	Kind: backend.ErrDecrypt, Err: errors.New("the Secret Service's answer isn't encrypted as agreed"),
	Hint: "try again; if it stays, restart the keyring service",
}
