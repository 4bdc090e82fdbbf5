DROP TABLE former_secrets;
