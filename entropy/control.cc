namespace covrl {}
