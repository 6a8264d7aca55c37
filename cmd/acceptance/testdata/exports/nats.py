"""Prints the messages of a stream of NATS JetStream, by the text of its protocol.

nats.py HOST:PORT STREAM
"""
import base64, json, socket, sys

address, stream = sys.argv[1:3]
host, port = address.split(":")
wire = socket.create_connection((host, int(port))).makefile("rwb")


def tell(text):
    wire.write(text.encode() + b"\r\n")
    wire.flush()


def ask(subject, text):
    tell(f"PUB {subject} answer {len(text)}\r\n{text}")
    while True:
        words = wire.readline().decode().split()
        if not words:
            sys.exit("the server is gone")
        if words[0] == "PING":
            tell("PONG")
        elif words[0] == "-ERR":
            sys.exit(" ".join(words))
        elif words[0] == "MSG":
            answer = wire.read(int(words[-1]) + 2)
            return json.loads(answer)


wire.readline()  # INFO
tell('CONNECT {"verbose":false,"pedantic":false}')
tell("SUB answer 1")
state = ask("$JS.API.STREAM.INFO." + stream, "")["state"]
for number in range(state["first_seq"], state["last_seq"] + 1):
    message = ask("$JS.API.STREAM.MSG.GET." + stream, json.dumps({"seq": number}))["message"]
    sys.stdout.write(base64.b64decode(message["data"]).decode())
